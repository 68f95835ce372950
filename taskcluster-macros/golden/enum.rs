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
    #[doc = "Put\n\n- `PUT /put`\n- Payload: schema `v1/enum.json#`.\n- Response: schema `v1/enum.json#`.\n- Required scopes: none.\n- Stability: stable.\n- Defined in `golden/enum.json`, line 7."]
    pub fn put(
        &self,
        payload: impl golden::__runtime::Payload<golden::Enum>,
    ) -> golden::__runtime::Call<golden::Enum> {
        golden::__runtime::Call::with_payload(
            &self.0,
            &golden::ENDPOINTS[0],
            &[],
            <_ as golden::__runtime::Payload<golden::Enum>>::view(&payload),
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
        input: ::core::option::Option::Some("v1/enum.json#"),
        output: ::core::option::Option::Some("v1/enum.json#"),
        scopes: ::core::option::Option::None,
        stability: __runtime::Stability::Stable,
        paging: ::core::option::Option::None,
        patterns: &[],
        query_patterns: &[],
    }];
    pub(super) static EXCHANGES: [__runtime::Exchange; 0] = [];
    #[doc = "Defined in `schemas/golden/v1/enum.json`, line 1."]
    pub struct Enum {
        #[doc = "How far it is."]
        pub state: EnumState,
        #[doc = "`states`."]
        pub states: __p::Option<__p::Vec<EnumState>>,
        #[doc = r" The properties that have no field of their own."]
        pub other: __p::BTreeMap<__p::String, __p::FreeForm>,
        _private: (),
    }
    impl Enum {
        #[doc = "Creates a value with its required field, [`state`](#structfield.state). Other fields are left out unless they are set."]
        #[inline]
        #[must_use]
        #[allow(clippy::too_many_arguments)]
        pub fn new(state: EnumState) -> Self {
            Self { state: state, _private: (), ..__p::blank() }
        }
        #[doc = "Adds to [`states`](#structfield.states)."]
        #[inline]
        #[must_use]
        pub fn states(mut self, states: impl __p::IntoIterator<Item = EnumState>) -> Self {
            self.states.get_or_insert_default().extend(states);
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
    impl __p::Field for Enum {
        fn blank() -> Self {
            Self { state: __p::blank(), states: __p::blank(), other: __p::blank(), _private: () }
        }
        fn slot(&mut self) -> __p::Slot<'_> {
            __p::Slot::Record(self)
        }
        fn view(&self) -> __p::View<'_> {
            __p::View::Record(self)
        }
    }
    impl __p::Record for Enum {
        fn shape(&self) -> &'static __p::Shape {
            static SHAPE: __p::Shape = __p::Shape {
                name: "Enum",
                fields: &[
                    __p::required("state", "state", &[]),
                    __p::optional("states", "states", &[]),
                ],
                others: __p::Others::Kept,
                rules: &[],
            };
            &SHAPE
        }
        fn slot_of(&mut self, index: usize) -> __p::Slot<'_> {
            match index {
                0 => self.state.slot(),
                1 => self.states.slot(),
                2 => self.other.slot(),
                _ => __p::Slot::Nothing,
            }
        }
        fn view_of(&self, index: usize) -> __p::View<'_> {
            match index {
                0 => self.state.view(),
                1 => self.states.view(),
                2 => self.other.view(),
                _ => __p::View::Nothing,
            }
        }
    }
    #[doc = "How far it is.\n\nDefined in `schemas/golden/v1/enum.json#/properties/state`, line 5."]
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum EnumState {
        #[doc = "`pending`"]
        Pending,
        #[doc = "`very-low`"]
        VeryLow,
        #[doc = "`7zip`"]
        N7zip,
        #[doc = r" A value that this version does not know."]
        Unknown(__p::String),
    }
    impl EnumState {
        #[doc = r" Returns the value as it is sent on the wire."]
        #[must_use]
        pub fn as_str(&self) -> &str {
            match self {
                Self::Pending => "pending",
                Self::VeryLow => "very-low",
                Self::N7zip => "7zip",
                Self::Unknown(text) => text,
            }
        }
    }
    impl __p::From<&str> for EnumState {
        fn from(text: &str) -> Self {
            match text {
                "pending" => Self::Pending,
                "very-low" => Self::VeryLow,
                "7zip" => Self::N7zip,
                _ => Self::Unknown(text.into()),
            }
        }
    }
    __runtime::__record!(Enum);
    __runtime :: __choice ! (EnumState "unknown");
    __runtime :: __union ! (false :);
    __runtime :: __union ! (true :);
}
const _: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/enum.json"));
const _: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/schemas/golden/v1/enum.json"));
