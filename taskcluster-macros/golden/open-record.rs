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
    #[doc = "Put\n\n- `PUT /put`\n- Payload: schema `v1/open-record.json#`.\n- Response: schema `v1/open-record.json#`.\n- Required scopes: none.\n- Stability: stable.\n- Defined in `golden/open-record.json`, line 7."]
    pub fn put(
        &self,
        payload: impl golden::__runtime::Payload<golden::OpenRecord>,
    ) -> golden::__runtime::Call<golden::OpenRecord> {
        golden::__runtime::Call::with_payload(
            &self.0,
            &golden::ENDPOINTS[0],
            &[],
            <_ as golden::__runtime::Payload<golden::OpenRecord>>::view(&payload),
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
        input: ::core::option::Option::Some("v1/open-record.json#"),
        output: ::core::option::Option::Some("v1/open-record.json#"),
        scopes: ::core::option::Option::None,
        stability: __runtime::Stability::Stable,
        paging: ::core::option::Option::None,
        patterns: &[],
        query_patterns: &[],
    }];
    pub(super) static EXCHANGES: [__runtime::Exchange; 0] = [];
    #[doc = "Defined in `schemas/golden/v1/open-record.json`, line 1."]
    pub struct OpenRecord {
        #[doc = "Cleared by `null`."]
        pub note: __p::Nullable<__p::String>,
        #[doc = "`payload`, of type `object`."]
        pub payload: __p::Option<__p::FreeForm>,
        #[doc = "`tags`."]
        pub tags: __p::BTreeMap<__p::String, __p::String>,
        #[doc = "Never if `null`."]
        pub until: __p::Option<__p::DateTime<__p::Utc>>,
        #[doc = r" The properties that have no field of their own."]
        pub other: __p::BTreeMap<__p::String, __p::FreeForm>,
        _private: (),
    }
    impl OpenRecord {
        #[doc = "Creates a value with its required field, [`tags`](#structfield.tags). Other fields are left out unless they are set."]
        #[inline]
        #[must_use]
        #[allow(clippy::too_many_arguments)]
        pub fn new(tags: __p::BTreeMap<__p::String, __p::String>) -> Self {
            Self { tags: tags, _private: (), ..__p::blank() }
        }
        #[doc = "Sets [`note`](#structfield.note)."]
        #[inline]
        #[must_use]
        pub fn note(mut self, note: impl __p::Into<__p::String>) -> Self {
            self.note = __p::Nullable::Value(note.into());
            self
        }
        #[doc = "Sets [`payload`](#structfield.payload)."]
        #[inline]
        #[must_use]
        pub fn payload(mut self, payload: impl __p::Into<__p::FreeForm>) -> Self {
            self.payload = __p::Option::Some(payload.into());
            self
        }
        #[doc = "Adds to [`tags`](#structfield.tags)."]
        #[inline]
        #[must_use]
        pub fn tags(
            mut self,
            tags: impl __p::IntoIterator<
                Item = (impl __p::Into<__p::String>, impl __p::Into<__p::String>),
            >,
        ) -> Self {
            self.tags.extend(tags.into_iter().map(|(key, value)| (key.into(), value.into())));
            self
        }
        #[doc = "Adds one to [`tags`](#structfield.tags)."]
        #[inline]
        #[must_use]
        pub fn tag(
            mut self,
            key: impl __p::Into<__p::String>,
            value: impl __p::Into<__p::String>,
        ) -> Self {
            self.tags.insert(key.into(), value.into());
            self
        }
        #[doc = "Sets [`until`](#structfield.until)."]
        #[inline]
        #[must_use]
        pub fn until(mut self, until: __p::DateTime<__p::Utc>) -> Self {
            self.until = __p::Option::Some(until);
            self
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
    impl __p::Field for OpenRecord {
        fn blank() -> Self {
            Self {
                note: __p::blank(),
                payload: __p::blank(),
                tags: __p::blank(),
                until: __p::blank(),
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
    impl __p::Record for OpenRecord {
        fn shape(&self) -> &'static __p::Shape {
            static SHAPE: __p::Shape = __p::Shape {
                name: "OpenRecord",
                fields: &[
                    __p::optional("note", "note", &[]),
                    __p::optional("payload", "payload", &[__p::Rule::Types(&["object"])]),
                    __p::required(
                        "tags",
                        "tags",
                        &[__p::Rule::Each(&[__p::Rule::MaxLength(4096)])],
                    ),
                    __p::nullable("until", "until", &[]),
                ],
                others: __p::Others::Kept,
                rules: &[],
            };
            &SHAPE
        }
        fn slot_of(&mut self, index: usize) -> __p::Slot<'_> {
            match index {
                0 => self.note.slot(),
                1 => self.payload.slot(),
                2 => self.tags.slot(),
                3 => self.until.slot(),
                4 => self.other.slot(),
                _ => __p::Slot::Nothing,
            }
        }
        fn view_of(&self, index: usize) -> __p::View<'_> {
            match index {
                0 => self.note.view(),
                1 => self.payload.view(),
                2 => self.tags.view(),
                3 => self.until.view(),
                4 => self.other.view(),
                _ => __p::View::Nothing,
            }
        }
    }
    __runtime::__record!(OpenRecord);
    __runtime::__choice!();
    __runtime :: __union ! (false :);
    __runtime :: __union ! (true :);
}
const _: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/open-record.json"));
const _: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/golden/schemas/golden/v1/open-record.json"
));
