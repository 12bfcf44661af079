/// An enumerated string of the protocol to which Cronofy may add words: the known ones are variants, any other is kept.
macro_rules! open_enum {
    (
        $(#[$docs:meta])*
        $name:ident { $($(#[$word_docs:meta])* $variant:ident = $word:literal,)+ }
    ) => {
        $(#[$docs])*
        ///
        /// Open: Cronofy may send other words, and each is kept. Serialises as the word.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$word_docs])* $variant,)+
            /// Any other word. Made by `From` alone, so that it is never one of those above.
            #[non_exhaustive]
            Other {
                /// The word as it was sent.
                word: String,
            },
        }

        impl $name {
            /// The word as it is sent.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other { word } => word,
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$variant,)+
                    _ => Self::Other { word },
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                Self::from(word.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
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
