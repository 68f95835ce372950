#[doc = "Golden\n\n3 endpoints of the `golden` service, version `v1`.\n\n- **Endpoints**: [`build`](Self::build), [`update_build`](Self::update_build), [`replace_build`](Self::replace_build)"]
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
    #[doc = "Build\n\n- `GET /build/<buildId>`\n- Response: schema `v1/build.json#`.\n- Required scopes: none.\n- Stability: stable.\n- Defined in `golden/conversion.json`, line 7."]
    pub fn build(
        &self,
        build_id: impl ::core::fmt::Display,
    ) -> golden::__runtime::Call<golden::Build> {
        golden::__runtime::Call::of(&self.0, &golden::ENDPOINTS[0], &[&build_id])
    }
    #[doc = "Update Build\n\n- `POST /build/<buildId>/update/<token>`\n- Payload: schema `v1/update-build-request.json#`.\n- Required scopes: none.\n- Stability: stable.\n- Defined in `golden/conversion.json`, line 19."]
    #[doc(alias = "updateBuild")]
    pub fn update_build(
        &self,
        build_id: impl ::core::fmt::Display,
        token: impl ::core::fmt::Display,
        payload: impl golden::__runtime::Payload<golden::UpdateBuildRequest>,
    ) -> golden::__runtime::Call<golden::__runtime::Value> {
        golden::__runtime::Call::with_payload(
            &self.0,
            &golden::ENDPOINTS[1],
            &[&build_id, &token],
            <_ as golden::__runtime::Payload<golden::UpdateBuildRequest>>::view(&payload),
        )
    }
    #[doc = "Replace Build\n\n- `PUT /build/<name>`\n- Payload: schema `v1/replace-build-request.json#`.\n- Required scopes: none.\n- Stability: stable.\n- Defined in `golden/conversion.json`, line 31."]
    #[doc(alias = "replaceBuild")]
    pub fn replace_build(
        &self,
        name: impl ::core::fmt::Display,
        payload: impl golden::__runtime::Payload<golden::ReplaceBuildRequest>,
    ) -> golden::__runtime::Call<golden::__runtime::Value> {
        golden::__runtime::Call::with_payload(
            &self.0,
            &golden::ENDPOINTS[2],
            &[&name],
            <_ as golden::__runtime::Payload<golden::ReplaceBuildRequest>>::view(&payload),
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
    pub(super) static ENDPOINTS: [__runtime::Endpoint; 3] = [
        __runtime::Endpoint {
            name: "build",
            title: "Build",
            method: __runtime::Method::GET,
            route: "/build/<buildId>",
            args: &["buildId"],
            query: &[],
            secrets: &[],
            input: ::core::option::Option::None,
            output: ::core::option::Option::Some("v1/build.json#"),
            scopes: ::core::option::Option::None,
            stability: __runtime::Stability::Stable,
            paging: ::core::option::Option::None,
            patterns: &[::core::option::Option::None],
            query_patterns: &[],
        },
        __runtime::Endpoint {
            name: "updateBuild",
            title: "Update Build",
            method: __runtime::Method::POST,
            route: "/build/<buildId>/update/<token>",
            args: &["buildId", "token"],
            query: &[],
            secrets: &["token"],
            input: ::core::option::Option::Some("v1/update-build-request.json#"),
            output: ::core::option::Option::None,
            scopes: ::core::option::Option::None,
            stability: __runtime::Stability::Stable,
            paging: ::core::option::Option::None,
            patterns: &[::core::option::Option::None, ::core::option::Option::None],
            query_patterns: &[],
        },
        __runtime::Endpoint {
            name: "replaceBuild",
            title: "Replace Build",
            method: __runtime::Method::PUT,
            route: "/build/<name>",
            args: &["name"],
            query: &[],
            secrets: &[],
            input: ::core::option::Option::Some("v1/replace-build-request.json#"),
            output: ::core::option::Option::None,
            scopes: ::core::option::Option::None,
            stability: __runtime::Stability::Stable,
            paging: ::core::option::Option::None,
            patterns: &[::core::option::Option::None],
            query_patterns: &[],
        },
    ];
    pub(super) static EXCHANGES: [__runtime::Exchange; 0] = [];
    #[doc = "Defined in `schemas/golden/v1/build.json`, line 1."]
    #[non_exhaustive]
    pub struct Build {
        #[doc = "`created`."]
        pub created: __p::DateTime<__p::Utc>,
        #[doc = "`name`."]
        pub name: __p::String,
        #[doc = "`note`."]
        pub note: __p::Option<__p::String>,
    }
    impl __p::Field for Build {
        fn blank() -> Self {
            Self { created: __p::blank(), name: __p::blank(), note: __p::blank() }
        }
        fn slot(&mut self) -> __p::Slot<'_> {
            __p::Slot::Record(self)
        }
        fn view(&self) -> __p::View<'_> {
            __p::View::Record(self)
        }
    }
    impl __p::Record for Build {
        fn shape(&self) -> &'static __p::Shape {
            static SHAPE: __p::Shape = __p::Shape {
                name: "Build",
                fields: &[
                    __p::required("created", "created", &[]),
                    __p::required("name", "name", &[]),
                    __p::optional("note", "note", &[]),
                ],
                others: __p::Others::Ignored,
                rules: &[],
            };
            &SHAPE
        }
        fn slot_of(&mut self, index: usize) -> __p::Slot<'_> {
            match index {
                0 => self.created.slot(),
                1 => self.name.slot(),
                2 => self.note.slot(),
                _ => __p::Slot::Nothing,
            }
        }
        fn view_of(&self, index: usize) -> __p::View<'_> {
            match index {
                0 => self.created.view(),
                1 => self.name.view(),
                2 => self.note.view(),
                _ => __p::View::Nothing,
            }
        }
    }
    #[doc = "Defined in `schemas/golden/v1/update-build-request.json`, line 1."]
    pub struct UpdateBuildRequest {
        #[doc = "`name`."]
        pub name: __p::String,
        #[doc = r" The properties that have no field of their own."]
        pub other: __p::BTreeMap<__p::String, __p::FreeForm>,
        _private: (),
    }
    impl UpdateBuildRequest {
        #[doc = "Creates a value with its required field, [`name`](#structfield.name). Other fields are left out unless they are set."]
        #[inline]
        #[must_use]
        #[allow(clippy::too_many_arguments)]
        pub fn new(name: impl __p::Into<__p::String>) -> Self {
            Self { name: name.into(), _private: (), ..__p::blank() }
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
    impl __p::Field for UpdateBuildRequest {
        fn blank() -> Self {
            Self { name: __p::blank(), other: __p::blank(), _private: () }
        }
        fn slot(&mut self) -> __p::Slot<'_> {
            __p::Slot::Record(self)
        }
        fn view(&self) -> __p::View<'_> {
            __p::View::Record(self)
        }
    }
    impl __p::Record for UpdateBuildRequest {
        fn shape(&self) -> &'static __p::Shape {
            static SHAPE: __p::Shape = __p::Shape {
                name: "UpdateBuildRequest",
                fields: &[__p::required("name", "name", &[])],
                others: __p::Others::Kept,
                rules: &[],
            };
            &SHAPE
        }
        fn slot_of(&mut self, index: usize) -> __p::Slot<'_> {
            match index {
                0 => self.name.slot(),
                1 => self.other.slot(),
                _ => __p::Slot::Nothing,
            }
        }
        fn view_of(&self, index: usize) -> __p::View<'_> {
            match index {
                0 => self.name.view(),
                1 => self.other.view(),
                _ => __p::View::Nothing,
            }
        }
    }
    #[doc = "A build in place of another.\n\nTo change what `build` returned and send it back, use `ReplaceBuildRequest::from(&response)`. It copies all that a [`Build`] has in common with the request.\n\nDefined in `schemas/golden/v1/replace-build-request.json`, line 1."]
    pub struct ReplaceBuildRequest {
        #[doc = "`name`."]
        pub name: __p::String,
        #[doc = "`note`."]
        pub note: __p::Option<__p::String>,
        #[doc = r" The properties that have no field of their own."]
        pub other: __p::BTreeMap<__p::String, __p::FreeForm>,
        _private: (),
    }
    impl ReplaceBuildRequest {
        #[doc = "Creates a value with its required field, [`name`](#structfield.name). Other fields are left out unless they are set."]
        #[inline]
        #[must_use]
        #[allow(clippy::too_many_arguments)]
        pub fn new(name: impl __p::Into<__p::String>) -> Self {
            Self { name: name.into(), _private: (), ..__p::blank() }
        }
        #[doc = "Sets [`note`](#structfield.note)."]
        #[inline]
        #[must_use]
        pub fn note(mut self, note: impl __p::Into<__p::String>) -> Self {
            self.note = __p::Option::Some(note.into());
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
    impl __p::Field for ReplaceBuildRequest {
        fn blank() -> Self {
            Self { name: __p::blank(), note: __p::blank(), other: __p::blank(), _private: () }
        }
        fn slot(&mut self) -> __p::Slot<'_> {
            __p::Slot::Record(self)
        }
        fn view(&self) -> __p::View<'_> {
            __p::View::Record(self)
        }
    }
    impl __p::From<&Build> for ReplaceBuildRequest {
        fn from(answer: &Build) -> Self {
            __p::convert(answer)
        }
    }
    impl __p::Record for ReplaceBuildRequest {
        fn shape(&self) -> &'static __p::Shape {
            static SHAPE: __p::Shape = __p::Shape {
                name: "ReplaceBuildRequest",
                fields: &[__p::required("name", "name", &[]), __p::optional("note", "note", &[])],
                others: __p::Others::Kept,
                rules: &[],
            };
            &SHAPE
        }
        fn slot_of(&mut self, index: usize) -> __p::Slot<'_> {
            match index {
                0 => self.name.slot(),
                1 => self.note.slot(),
                2 => self.other.slot(),
                _ => __p::Slot::Nothing,
            }
        }
        fn view_of(&self, index: usize) -> __p::View<'_> {
            match index {
                0 => self.name.view(),
                1 => self.note.view(),
                2 => self.other.view(),
                _ => __p::View::Nothing,
            }
        }
    }
    __runtime :: __record ! (Build UpdateBuildRequest ReplaceBuildRequest);
    __runtime::__choice!();
    __runtime :: __union ! (false :);
    __runtime :: __union ! (true :);
}
const _: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/conversion.json"));
const _: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/schemas/golden/v1/build.json"));
const _: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/golden/schemas/golden/v1/replace-build-request.json"
));
const _: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/golden/schemas/golden/v1/update-build-request.json"
));
