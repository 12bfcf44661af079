use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

/// A JSON object that is read as a `T`, where a derived `Deserialize` would take an array of the members as well.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
        }

        deserializer
            .deserialize_map(ObjectVisitor(PhantomData))
            .map(Self)
    }
}

/// For an optional member of a struct: `#[serde(default, deserialize_with = "object::option")]`.
pub(super) fn option<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let object = Option::<Object<T>>::deserialize(deserializer)?;
    Ok(object.map(|Object(value)| value))
}

/// For a promised member of a struct: `#[serde(deserialize_with = "object::required")]`.
pub(super) fn required<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let Object(value) = Object::deserialize(deserializer)?;
    Ok(value)
}

/// For an optional list of structs: `#[serde(default, deserialize_with = "object::list")]`.
pub(super) fn list<'de, T, D>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let list = Option::<Vec<Object<T>>>::deserialize(deserializer)?;
    Ok(list.map(items))
}

/// The structs in a list of objects.
pub(super) fn items<T>(list: Vec<Object<T>>) -> Vec<T> {
    list.into_iter().map(|Object(value)| value).collect()
}

/// For an optional object whose member names are data: `#[serde(default, deserialize_with = "object::map")]`.
///
/// As everywhere else, a member that is `null` counts as absent and one that is there twice is malformed.
pub(super) fn map<'de, D>(deserializer: D) -> Result<Option<BTreeMap<String, String>>, D::Error>
where
    D: Deserializer<'de>,
{
    struct Strings(BTreeMap<String, String>);

    impl<'de> Deserialize<'de> for Strings {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct StringsVisitor;

            impl<'de> Visitor<'de> for StringsVisitor {
                type Value = Strings;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object of strings")
                }

                fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Strings, A::Error> {
                    let mut strings = BTreeMap::new();
                    while let Some((name, value)) =
                        members.next_entry::<String, Option<String>>()?
                    {
                        let Some(value) = value else {
                            continue;
                        };
                        if let Some(_first) = strings.insert(name, value) {
                            return Err(A::Error::custom("a name is there more than once"));
                        }
                    }
                    Ok(Strings(strings))
                }
            }

            deserializer.deserialize_map(StringsVisitor)
        }
    }

    let strings = Option::<Strings>::deserialize(deserializer)?;
    Ok(strings.map(|Strings(strings)| strings))
}
