/// A string of the protocol to which Cronofy may add values: the known ones are variants, any other one is kept.
macro_rules! open_enum {
    (
        $(#[$docs:meta])*
        $name:ident { $($(#[$value_docs:meta])* $variant:ident = $value:literal,)+ }
    ) => {
        $(#[$docs])*
        ///
        /// An open enum: a value that is not known here is [`Other`](Self::Other). A later release may give it a variant
        /// of its own, and a `match` on `Other` then no longer sees it. [`as_str`](Self::as_str) stays the same.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$value_docs])* $variant,)+
            /// Any other value. Built only by `From`, so never a known value.
            #[non_exhaustive]
            Other {
                /// The value as it was sent.
                value: String,
            },
        }

        impl $name {
            /// The value as it is sent.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)+
                    Self::Other { value } => value,
                }
            }
        }

        impl From<String> for $name {
            fn from(value: String) -> Self {
                match value.as_str() {
                    $($value => Self::$variant,)+
                    _ => Self::Other { value },
                }
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self::from(value.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

pub(super) use open_enum;
