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
    #[doc = "Put\n\n- `PUT /put`\n- Payload: schema `v1/tagged-union.json#`.\n- Response: schema `v1/tagged-union.json#`.\n- Required scopes: none.\n- Stability: stable.\n- Defined in `golden/tagged-union.json`, line 7."]
    pub fn put(
        &self,
        payload: impl golden::__runtime::Payload<golden::TaggedUnion>,
    ) -> golden::__runtime::Call<golden::TaggedUnion> {
        golden::__runtime::Call::with_payload(
            &self.0,
            &golden::ENDPOINTS[0],
            &[],
            <_ as golden::__runtime::Payload<golden::TaggedUnion>>::view(&payload),
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
        input: ::core::option::Option::Some("v1/tagged-union.json#"),
        output: ::core::option::Option::Some("v1/tagged-union.json#"),
        scopes: ::core::option::Option::None,
        stability: __runtime::Stability::Stable,
        paging: ::core::option::Option::None,
        patterns: &[],
        query_patterns: &[],
    }];
    pub(super) static EXCHANGES: [__runtime::Exchange; 0] = [];
    #[doc = "Where the product is.\n\nDefined in `schemas/golden/v1/tagged-union.json`, line 1."]
    #[derive(Clone, PartialEq)]
    #[non_exhaustive]
    pub enum TaggedUnion {
        #[doc = "Chosen if `kind` is `file`."]
        File(TaggedUnionFile),
        #[doc = "Chosen if `kind` is `archive` or `image`."]
        Archive(TaggedUnionArchive),
        #[doc = "An alternative that this version does not know, as it is."]
        Unknown(__p::FreeForm),
    }
    impl TaggedUnion {
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
    impl __p::Union for TaggedUnion {
        fn shape(&self) -> &'static __p::UnionShape {
            static SHAPE: __p::UnionShape = __p::UnionShape {
                tag: __p::Tag::Text("kind"),
                branches: &[
                    __p::Branch {
                        tags: &["file"],
                        required: &["kind", "path"],
                        leaves_tag_out: true,
                    },
                    __p::Branch {
                        tags: &["archive", "image"],
                        required: &["kind", "digest"],
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
                0 => Self::File(__p::blank()),
                1 => Self::Archive(__p::blank()),
                _ => Self::Unknown(__p::blank()),
            };
            match self {
                Self::File(record) => record.slot(),
                Self::Archive(record) => record.slot(),
                Self::Unknown(value) => value.slot(),
            }
        }
        fn chosen(&self) -> (usize, __p::View<'_>) {
            match self {
                Self::File(record) => (0, record.view()),
                Self::Archive(record) => (1, record.view()),
                Self::Unknown(value) => (2, value.view()),
            }
        }
    }
    impl __p::From<TaggedUnionFile> for TaggedUnion {
        fn from(record: TaggedUnionFile) -> Self {
            Self::File(record)
        }
    }
    impl __p::From<TaggedUnionArchive> for TaggedUnion {
        fn from(record: TaggedUnionArchive) -> Self {
            Self::Archive(record)
        }
    }
    #[doc = "Defined in `schemas/golden/v1/tagged-union.json#/oneOf/0`, line 5."]
    pub struct TaggedUnionFile {
        #[doc = "`path`."]
        pub path: __p::String,
        #[doc = r" The properties that have no field of their own."]
        pub other: __p::BTreeMap<__p::String, __p::FreeForm>,
        _private: (),
    }
    impl TaggedUnionFile {
        #[doc = "Creates a value with its required field, [`path`](#structfield.path). Other fields are left out unless they are set."]
        #[inline]
        #[must_use]
        #[allow(clippy::too_many_arguments)]
        pub fn new(path: impl __p::Into<__p::String>) -> Self {
            Self { path: path.into(), _private: (), ..__p::blank() }
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
    impl __p::Field for TaggedUnionFile {
        fn blank() -> Self {
            Self { path: __p::blank(), other: __p::blank(), _private: () }
        }
        fn slot(&mut self) -> __p::Slot<'_> {
            __p::Slot::Record(self)
        }
        fn view(&self) -> __p::View<'_> {
            __p::View::Record(self)
        }
    }
    impl __p::Record for TaggedUnionFile {
        fn shape(&self) -> &'static __p::Shape {
            static SHAPE: __p::Shape = __p::Shape {
                name: "TaggedUnionFile",
                fields: &[__p::required("path", "path", &[])],
                others: __p::Others::Kept,
                rules: &[],
            };
            &SHAPE
        }
        fn slot_of(&mut self, index: usize) -> __p::Slot<'_> {
            match index {
                0 => self.path.slot(),
                1 => self.other.slot(),
                _ => __p::Slot::Nothing,
            }
        }
        fn view_of(&self, index: usize) -> __p::View<'_> {
            match index {
                0 => self.path.view(),
                1 => self.other.view(),
                _ => __p::View::Nothing,
            }
        }
    }
    #[doc = "Defined in `schemas/golden/v1/tagged-union.json#/oneOf/1`, line 23."]
    pub struct TaggedUnionArchive {
        #[doc = "`digest`."]
        pub digest: __p::String,
        #[doc = "`kind`."]
        pub kind: TaggedUnionArchiveKind,
        #[doc = r" The properties that have no field of their own."]
        pub other: __p::BTreeMap<__p::String, __p::FreeForm>,
        _private: (),
    }
    impl TaggedUnionArchive {
        #[doc = "Creates a value with its required fields: [`kind`](#structfield.kind) and [`digest`](#structfield.digest). Other fields are left out unless they are set."]
        #[inline]
        #[must_use]
        #[allow(clippy::too_many_arguments)]
        pub fn new(kind: TaggedUnionArchiveKind, digest: impl __p::Into<__p::String>) -> Self {
            Self { kind: kind, digest: digest.into(), _private: (), ..__p::blank() }
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
    impl __p::Field for TaggedUnionArchive {
        fn blank() -> Self {
            Self { digest: __p::blank(), kind: __p::blank(), other: __p::blank(), _private: () }
        }
        fn slot(&mut self) -> __p::Slot<'_> {
            __p::Slot::Record(self)
        }
        fn view(&self) -> __p::View<'_> {
            __p::View::Record(self)
        }
    }
    impl __p::Record for TaggedUnionArchive {
        fn shape(&self) -> &'static __p::Shape {
            static SHAPE: __p::Shape = __p::Shape {
                name: "TaggedUnionArchive",
                fields: &[
                    __p::required("digest", "digest", &[]),
                    __p::required("kind", "kind", &[]),
                ],
                others: __p::Others::Kept,
                rules: &[],
            };
            &SHAPE
        }
        fn slot_of(&mut self, index: usize) -> __p::Slot<'_> {
            match index {
                0 => self.digest.slot(),
                1 => self.kind.slot(),
                2 => self.other.slot(),
                _ => __p::Slot::Nothing,
            }
        }
        fn view_of(&self, index: usize) -> __p::View<'_> {
            match index {
                0 => self.digest.view(),
                1 => self.kind.view(),
                2 => self.other.view(),
                _ => __p::View::Nothing,
            }
        }
    }
    #[doc = "Defined in `schemas/golden/v1/tagged-union.json#/oneOf/1/properties/kind`, line 26."]
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum TaggedUnionArchiveKind {
        #[doc = "`archive`"]
        Archive,
        #[doc = "`image`"]
        Image,
        #[doc = r" A value that this version does not know."]
        Unknown(__p::String),
    }
    impl TaggedUnionArchiveKind {
        #[doc = r" Returns the value as it is sent on the wire."]
        #[must_use]
        pub fn as_str(&self) -> &str {
            match self {
                Self::Archive => "archive",
                Self::Image => "image",
                Self::Unknown(text) => text,
            }
        }
    }
    impl __p::From<&str> for TaggedUnionArchiveKind {
        fn from(text: &str) -> Self {
            match text {
                "archive" => Self::Archive,
                "image" => Self::Image,
                _ => Self::Unknown(text.into()),
            }
        }
    }
    __runtime :: __record ! (TaggedUnionFile TaggedUnionArchive);
    __runtime::__choice!(TaggedUnionArchiveKind);
    __runtime :: __union ! (false : TaggedUnion);
    __runtime :: __union ! (true :);
}
const _: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/golden/schemas/golden/v1/tagged-union.json"
));
const _: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/tagged-union.json"));
