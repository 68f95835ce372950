#[doc = "Golden\n\n1 endpoint of the `golden` service, version `v1`.\n\n- **Endpoints**: [`put`](Self::put)"]
#[allow(rustdoc::all)]
#[derive(Clone, Debug)]
pub struct Golden(golden::__runtime::Service);
#[allow(clippy::manual_non_exhaustive, dead_code, deprecated, unreachable_pub, rustdoc::all)]
impl Golden {
    #[doc = r" Creates a handle to the service in the client's deployment. This is cheap: the client owns the connections."]
    #[must_use]
    pub fn new(client: &golden::__runtime::Client) -> Self {
        Self(golden::__runtime::Service::new(client, &Self::REFERENCE))
    }
}
#[allow(clippy::manual_non_exhaustive, dead_code, deprecated, unreachable_pub, rustdoc::all)]
impl ::core::convert::From<golden::__runtime::Service> for Golden {
    fn from(service: golden::__runtime::Service) -> Self {
        Self(service)
    }
}
#[allow(clippy::manual_non_exhaustive, dead_code, deprecated, unreachable_pub, rustdoc::all)]
impl ::core::convert::AsRef<golden::__runtime::Service> for Golden {
    fn as_ref(&self) -> &golden::__runtime::Service {
        &self.0
    }
}
#[allow(clippy::manual_non_exhaustive, dead_code, deprecated, unreachable_pub, rustdoc::all)]
impl Golden {
    #[doc = r" The reference that this type was generated from."]
    pub const REFERENCE: golden::__runtime::Reference = golden::REFERENCE;
    #[doc = "Put\n\n- `PUT /put`\n- Payload: schema `v1/untagged-union.json#`.\n- Response: schema `v1/untagged-union.json#`.\n- Required scopes: none.\n- Stability: stable.\n- Defined in `golden/untagged-union.json`, line 7."]
    pub fn put(
        &self,
        payload: impl golden::__runtime::Payload<golden::UntaggedUnion>,
    ) -> golden::__runtime::Call<golden::UntaggedUnion> {
        golden::__runtime::Call::with_payload(
            &self.0,
            &golden::ENDPOINTS[0],
            &[],
            <_ as golden::__runtime::Payload<golden::UntaggedUnion>>::view(&payload),
        )
    }
}
#[doc = "The types that the methods of [`Golden`] take and return."]
#[allow(clippy::manual_non_exhaustive, dead_code, deprecated, unreachable_pub, rustdoc::all)]
pub mod golden {
    #[allow(unused_imports)]
    use __p::{Extend as _, Field as _, Into as _, IntoIterator as _, Iterator as _};
    #[doc(hidden)]
    pub(super) use __runtime::__private as __p;
    #[doc(hidden)]
    pub(super) use :: taskcluster as __runtime;
    pub(super) const REFERENCE: __runtime::Reference = __runtime::Reference {
        service: "golden",
        version: "v1",
        base_url: ::core::option::Option::None,
        exchange_prefix: "",
        endpoints: &ENDPOINTS,
        exchanges: &EXCHANGES,
    };
    pub(super) static ENDPOINTS: [__runtime::Endpoint; 1] = [__runtime::Endpoint {
        name: "put",
        title: "Put",
        method: __runtime::Method::PUT,
        route: "/put",
        args: &[],
        query: &[],
        secrets: &[],
        input: ::core::option::Option::Some("v1/untagged-union.json#"),
        output: ::core::option::Option::Some("v1/untagged-union.json#"),
        scopes: ::core::option::Option::None,
        stability: __runtime::Stability::Stable,
        paging: ::core::option::Option::None,
        patterns: &[],
        query_patterns: &[],
    }];
    pub(super) static EXCHANGES: [__runtime::Exchange; 0] = [];
    #[doc = "Defined in `schemas/golden/v1/untagged-union.json`, line 1."]
    #[derive(Clone, PartialEq)]
    #[non_exhaustive]
    pub enum UntaggedUnion {
        #[doc = "Chosen if it has `document`."]
        Document(UntaggedUnionDocument),
        #[doc = "Chosen if it has `document` and `signature`."]
        Signature(UntaggedUnionSignature),
        #[doc = "An alternative that this version does not know, as it is."]
        Unknown(__p::FreeForm),
    }
    impl UntaggedUnion {
        #[doc = r" Checks the value against its schema. The documentation of a field says what takes the feature `validation`, and what is not checked."]
        #[doc = r""]
        #[doc = r" # Errors"]
        #[doc = r""]
        #[doc = r" Returns an error that lists everything that is wrong, each with its place."]
        #[inline]
        pub fn validate(&self) -> __runtime::Result<()> {
            __p::validate(self.view())
        }
    }
    impl __p::Union for UntaggedUnion {
        fn shape(&self) -> &'static __p::UnionShape {
            static SHAPE: __p::UnionShape = __p::UnionShape {
                tag: __p::Tag::None,
                branches: &[
                    __p::Branch { tags: &[], required: &["document"], leaves_tag_out: false },
                    __p::Branch {
                        tags: &[],
                        required: &["document", "signature"],
                        leaves_tag_out: false,
                    },
                ],
                is_open: false,
                rules: &[],
            };
            &SHAPE
        }
        fn choose(&mut self, branch: usize) -> __p::Slot<'_> {
            *self = match branch {
                0 => Self::Document(__p::blank()),
                1 => Self::Signature(__p::blank()),
                _ => Self::Unknown(__p::blank()),
            };
            match self {
                Self::Document(record) => record.slot(),
                Self::Signature(record) => record.slot(),
                Self::Unknown(value) => value.slot(),
            }
        }
        fn chosen(&self) -> (usize, __p::View<'_>) {
            match self {
                Self::Document(record) => (0, record.view()),
                Self::Signature(record) => (1, record.view()),
                Self::Unknown(value) => (2, value.view()),
            }
        }
    }
    impl __p::From<UntaggedUnionDocument> for UntaggedUnion {
        fn from(record: UntaggedUnionDocument) -> Self {
            Self::Document(record)
        }
    }
    impl __p::From<UntaggedUnionSignature> for UntaggedUnion {
        fn from(record: UntaggedUnionSignature) -> Self {
            Self::Signature(record)
        }
    }
    #[doc = "Defined in `schemas/golden/v1/untagged-union.json#/anyOf/0`, line 4."]
    pub struct UntaggedUnionDocument {
        #[doc = "`document`."]
        pub document: __p::String,
        #[doc = r" The properties that have no field of their own."]
        pub other: __p::BTreeMap<__p::String, __p::FreeForm>,
        _private: (),
    }
    impl UntaggedUnionDocument {
        #[doc = "Creates a value with its required field, [`document`](#structfield.document). Other fields are left out unless they are set."]
        #[inline]
        #[must_use]
        #[allow(clippy::too_many_arguments)]
        pub fn new(document: impl __p::Into<__p::String>) -> Self {
            Self { document: document.into(), _private: (), ..__p::blank() }
        }
        #[doc = r" Checks the value against its schema. The documentation of a field says what takes the feature `validation`, and what is not checked."]
        #[doc = r""]
        #[doc = r" # Errors"]
        #[doc = r""]
        #[doc = r" Returns an error that lists everything that is wrong, each with its place."]
        #[inline]
        pub fn validate(&self) -> __runtime::Result<()> {
            __p::validate(self.view())
        }
    }
    impl __p::Field for UntaggedUnionDocument {
        fn blank() -> Self {
            Self { document: __p::blank(), other: __p::blank(), _private: () }
        }
        fn slot(&mut self) -> __p::Slot<'_> {
            __p::Slot::Record(self)
        }
        fn view(&self) -> __p::View<'_> {
            __p::View::Record(self)
        }
    }
    impl __p::Record for UntaggedUnionDocument {
        fn shape(&self) -> &'static __p::Shape {
            static SHAPE: __p::Shape = __p::Shape {
                name: "UntaggedUnionDocument",
                fields: &[__p::required("document", "document", &[])],
                others: __p::Others::Kept,
                rules: &[],
            };
            &SHAPE
        }
        fn slot_of(&mut self, index: usize) -> __p::Slot<'_> {
            match index {
                0 => self.document.slot(),
                1 => self.other.slot(),
                _ => __p::Slot::Nothing,
            }
        }
        fn view_of(&self, index: usize) -> __p::View<'_> {
            match index {
                0 => self.document.view(),
                1 => self.other.view(),
                _ => __p::View::Nothing,
            }
        }
    }
    #[doc = "Defined in `schemas/golden/v1/untagged-union.json#/anyOf/1`, line 15."]
    pub struct UntaggedUnionSignature {
        #[doc = "`document`."]
        pub document: __p::String,
        #[doc = "`signature`."]
        pub signature: __p::String,
        #[doc = r" The properties that have no field of their own."]
        pub other: __p::BTreeMap<__p::String, __p::FreeForm>,
        _private: (),
    }
    impl UntaggedUnionSignature {
        #[doc = "Creates a value with its required fields: [`document`](#structfield.document) and [`signature`](#structfield.signature). Other fields are left out unless they are set."]
        #[inline]
        #[must_use]
        #[allow(clippy::too_many_arguments)]
        pub fn new(
            document: impl __p::Into<__p::String>,
            signature: impl __p::Into<__p::String>,
        ) -> Self {
            Self {
                document: document.into(),
                signature: signature.into(),
                _private: (),
                ..__p::blank()
            }
        }
        #[doc = r" Checks the value against its schema. The documentation of a field says what takes the feature `validation`, and what is not checked."]
        #[doc = r""]
        #[doc = r" # Errors"]
        #[doc = r""]
        #[doc = r" Returns an error that lists everything that is wrong, each with its place."]
        #[inline]
        pub fn validate(&self) -> __runtime::Result<()> {
            __p::validate(self.view())
        }
    }
    impl __p::Field for UntaggedUnionSignature {
        fn blank() -> Self {
            Self {
                document: __p::blank(),
                signature: __p::blank(),
                other: __p::blank(),
                _private: (),
            }
        }
        fn slot(&mut self) -> __p::Slot<'_> {
            __p::Slot::Record(self)
        }
        fn view(&self) -> __p::View<'_> {
            __p::View::Record(self)
        }
    }
    impl __p::Record for UntaggedUnionSignature {
        fn shape(&self) -> &'static __p::Shape {
            static SHAPE: __p::Shape = __p::Shape {
                name: "UntaggedUnionSignature",
                fields: &[
                    __p::required("document", "document", &[]),
                    __p::required("signature", "signature", &[]).hidden(),
                ],
                others: __p::Others::Kept,
                rules: &[],
            };
            &SHAPE
        }
        fn slot_of(&mut self, index: usize) -> __p::Slot<'_> {
            match index {
                0 => self.document.slot(),
                1 => self.signature.slot(),
                2 => self.other.slot(),
                _ => __p::Slot::Nothing,
            }
        }
        fn view_of(&self, index: usize) -> __p::View<'_> {
            match index {
                0 => self.document.view(),
                1 => self.signature.view(),
                2 => self.other.view(),
                _ => __p::View::Nothing,
            }
        }
    }
    __runtime :: __record ! (UntaggedUnionDocument UntaggedUnionSignature);
    __runtime::__choice!();
    __runtime :: __union ! (false : UntaggedUnion);
    __runtime :: __union ! (true :);
}
const _: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/golden/schemas/golden/v1/untagged-union.json"
));
const _: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/untagged-union.json"));
