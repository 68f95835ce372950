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
    #[doc = "Put\n\n- `PUT /put`\n- Payload: schema `v1/record.json#`.\n- Response: schema `v1/record.json#`.\n- Required scopes: none.\n- Stability: stable.\n- Defined in `golden/record.json`, line 7."]
    pub fn put(
        &self,
        payload: impl golden::__runtime::Payload<golden::Record>,
    ) -> golden::__runtime::Call<golden::Record> {
        golden::__runtime::Call::with_payload(
            &self.0,
            &golden::ENDPOINTS[0],
            &[],
            <_ as golden::__runtime::Payload<golden::Record>>::view(&payload),
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
        input: ::core::option::Option::Some("v1/record.json#"),
        output: ::core::option::Option::Some("v1/record.json#"),
        scopes: ::core::option::Option::None,
        stability: __runtime::Stability::Stable,
        paging: ::core::option::Option::None,
        patterns: &[],
        query_patterns: &[],
    }];
    pub(super) static EXCHANGES: [__runtime::Exchange; 0] = [];
    #[doc = "A build and its steps.\n\nDefined in `schemas/golden/v1/record.json`, line 1."]
    pub struct Record {
        #[doc = "`accessToken`."]
        pub access_token: __p::Option<__p::String>,
        #[doc = "Unique.\n\n`buildId`, matches `^[a-z]+$`."]
        pub build_id: __p::String,
        #[doc = "`steps`."]
        pub steps: __p::Vec<RecordStep>,
        _private: (),
    }
    impl Record {
        #[doc = "Creates a value with its required fields: [`build_id`](#structfield.build_id) and [`steps`](#structfield.steps). Other fields are left out unless they are set."]
        #[inline]
        #[must_use]
        #[allow(clippy::too_many_arguments)]
        pub fn new(
            build_id: impl __p::Into<__p::String>,
            steps: impl __p::IntoIterator<Item = RecordStep>,
        ) -> Self {
            Self {
                build_id: build_id.into(),
                steps: steps.into_iter().collect(),
                _private: (),
                ..__p::blank()
            }
        }
        #[doc = "Sets [`access_token`](#structfield.access_token)."]
        #[inline]
        #[must_use]
        pub fn access_token(mut self, access_token: impl __p::Into<__p::String>) -> Self {
            self.access_token = __p::Option::Some(access_token.into());
            self
        }
        #[doc = "Adds to [`steps`](#structfield.steps)."]
        #[inline]
        #[must_use]
        pub fn steps(mut self, steps: impl __p::IntoIterator<Item = RecordStep>) -> Self {
            self.steps.extend(steps);
            self
        }
        #[doc = "Adds one to [`steps`](#structfield.steps)."]
        #[inline]
        #[must_use]
        pub fn step(mut self, item: RecordStep) -> Self {
            self.steps.push(item);
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
    impl __p::Field for Record {
        fn blank() -> Self {
            Self {
                access_token: __p::blank(),
                build_id: __p::blank(),
                steps: __p::blank(),
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
    impl __p::Record for Record {
        fn shape(&self) -> &'static __p::Shape {
            static SHAPE: __p::Shape = __p::Shape {
                name: "Record",
                fields: &[
                    __p::optional("accessToken", "access_token", &[]).hidden(),
                    __p::required("buildId", "build_id", &[__p::Rule::Pattern("^[a-z]+$")]),
                    __p::required("steps", "steps", &[__p::Rule::UniqueItems]),
                ],
                others: __p::Others::Refused,
                rules: &[],
            };
            &SHAPE
        }
        fn slot_of(&mut self, index: usize) -> __p::Slot<'_> {
            match index {
                0 => self.access_token.slot(),
                1 => self.build_id.slot(),
                2 => self.steps.slot(),
                _ => __p::Slot::Nothing,
            }
        }
        fn view_of(&self, index: usize) -> __p::View<'_> {
            match index {
                0 => self.access_token.view(),
                1 => self.build_id.view(),
                2 => self.steps.view(),
                _ => __p::View::Nothing,
            }
        }
    }
    #[doc = "One command.\n\nDefined in `schemas/golden/v1/record.json#/properties/steps/items`, line 18."]
    pub struct RecordStep {
        #[doc = "`command`, at least 1 items."]
        pub command: __p::Vec<__p::String>,
        #[doc = "`exitCode`, at least 0, at most 255, defaults to `0`."]
        pub exit_code: __p::Option<i64>,
        #[doc = r" The properties that have no field of their own."]
        pub other: __p::BTreeMap<__p::String, __p::FreeForm>,
        _private: (),
    }
    impl RecordStep {
        #[doc = "Creates a value with its required field, [`command`](#structfield.command). Other fields are left out unless they are set."]
        #[inline]
        #[must_use]
        #[allow(clippy::too_many_arguments)]
        pub fn new(command: impl __p::IntoIterator<Item = impl __p::Into<__p::String>>) -> Self {
            Self {
                command: command.into_iter().map(__p::Into::into).collect(),
                _private: (),
                ..__p::blank()
            }
        }
        #[doc = "Adds to [`command`](#structfield.command)."]
        #[inline]
        #[must_use]
        pub fn command(
            mut self,
            command: impl __p::IntoIterator<Item = impl __p::Into<__p::String>>,
        ) -> Self {
            self.command.extend(command.into_iter().map(__p::Into::into));
            self
        }
        #[doc = "Sets [`exit_code`](#structfield.exit_code)."]
        #[inline]
        #[must_use]
        pub fn exit_code(mut self, exit_code: i64) -> Self {
            self.exit_code = __p::Option::Some(exit_code);
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
    impl __p::Field for RecordStep {
        fn blank() -> Self {
            Self {
                command: __p::blank(),
                exit_code: __p::blank(),
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
    impl __p::Record for RecordStep {
        fn shape(&self) -> &'static __p::Shape {
            static SHAPE: __p::Shape = __p::Shape {
                name: "RecordStep",
                fields: &[
                    __p::required(
                        "command",
                        "command",
                        &[__p::Rule::MinItems(1), __p::Rule::Each(&[__p::Rule::MinLength(1)])],
                    ),
                    __p::optional(
                        "exitCode",
                        "exit_code",
                        &[__p::Rule::Minimum(0f64), __p::Rule::Maximum(255f64)],
                    ),
                ],
                others: __p::Others::Kept,
                rules: &[],
            };
            &SHAPE
        }
        fn slot_of(&mut self, index: usize) -> __p::Slot<'_> {
            match index {
                0 => self.command.slot(),
                1 => self.exit_code.slot(),
                2 => self.other.slot(),
                _ => __p::Slot::Nothing,
            }
        }
        fn view_of(&self, index: usize) -> __p::View<'_> {
            match index {
                0 => self.command.view(),
                1 => self.exit_code.view(),
                2 => self.other.view(),
                _ => __p::View::Nothing,
            }
        }
    }
    __runtime :: __record ! (Record RecordStep);
    __runtime::__choice!();
    __runtime :: __union ! (false :);
    __runtime :: __union ! (true :);
}
const _: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/record.json"));
const _: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/schemas/golden/v1/record.json"));
