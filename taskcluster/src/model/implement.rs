//! The impls that generated types share, as macros, so that an expansion needs one line per type.

/// The impls of all generated structs, based on their [`Record`].
#[doc(hidden)]
#[macro_export]
macro_rules! __record {
    ($($name:ident)*) => {$(
        $crate::__access!($name, Record);
        $crate::__serde!($name);

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::__private::debug(self, f)
            }
        }

        impl ::core::clone::Clone for $name {
            fn clone(&self) -> Self {
                $crate::__private::convert(self)
            }
        }

        impl ::core::cmp::PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                $crate::__private::same(self, other)
            }
        }
    )*};
}

/// The impls of all generated enums of strings, based on their [`Choice`].
#[doc(hidden)]
#[macro_export]
macro_rules! __choice {
    ($($name:ident)*) => {$(
        $crate::__field!($name, false, false, Choice, Self::Unknown(::std::string::String::new()));
        $crate::__serde!($name);

        impl $crate::__private::From<&str> for $name {
            fn from(text: &str) -> Self {
                let mut choice = $crate::__private::blank::<Self>();
                $crate::__private::Choice::choose(&mut choice, text);
                choice
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.as_str())
            }
        }
    )*};
}

/// The impls of all generated enums of records that hold `null`, or do not.
#[doc(hidden)]
#[macro_export]
macro_rules! __union {
    ($null:literal: $($name:ident)*) => {$(
        $crate::__field!($name, true, $null, Union, Self::Unknown($crate::FreeForm::default()));
        $crate::__serde!($name);

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::__private::debug_union(self, f)
            }
        }
    )*};
}

/// The conversions of generated structs that hold credentials.
#[doc(hidden)]
#[macro_export]
macro_rules! __credentials {
    ($($name:ident)*) => {$(
        impl $crate::__private::From<&$name> for $crate::Credentials {
            fn from(record: &$name) -> Self {
                $crate::__private::credentials(record)
            }
        }

        impl $crate::__private::From<$name> for $crate::Credentials {
            fn from(record: $name) -> Self {
                $crate::__private::credentials(&record)
            }
        }
    )*};
}

/// Implements [`Field`] for a generated type.
#[doc(hidden)]
#[macro_export]
macro_rules! __field {
    ($name:ident, $from_text:literal, $null:literal, $kind:ident, $blank:expr) => {
        impl $crate::__private::Field for $name {
            const FROM_TEXT: bool = $from_text;
            const HOLDS_NULL: bool = $null;

            fn blank() -> Self {
                $blank
            }
        }

        $crate::__access!($name, $kind);
    };
}

/// Implements [`Access`] for a generated type.
#[doc(hidden)]
#[macro_export]
macro_rules! __access {
    ($name:ident, $kind:ident) => {
        impl $crate::__private::Access for $name {
            fn slot(&mut self) -> $crate::__private::Slot<'_> {
                $crate::__private::Slot::$kind(self)
            }

            fn view(&self) -> $crate::__private::View<'_> {
                $crate::__private::View::$kind(self)
            }
        }
    };
}

/// Implements both traits of serde.
#[doc(hidden)]
#[macro_export]
macro_rules! __serde {
    ($name:ident) => {
        impl $crate::__private::Serialize for $name {
            fn serialize<S: $crate::__private::Serializer>(
                &self,
                to: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::__private::write($crate::__private::Access::view(self), to)
            }
        }

        impl<'de> $crate::__private::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__private::Deserializer<'de>>(
                from: D,
            ) -> ::core::result::Result<Self, D::Error> {
                $crate::__private::read(from)
            }
        }
    };
}
