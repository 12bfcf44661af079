use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::slot::Slot;

/// An object of which each member that some kind reads has a slot.
pub(super) trait Members<'de>: Default {
    /// Reads a member into its slot, or skips it where there is none of that name.
    fn read<V: Value<'de>>(&mut self, name: &str, value: V) -> Result<(), V::Error>;
}

/// The value of a member, not yet read.
pub(super) trait Value<'de>: Sized {
    type Error;

    fn read<T: Deserialize<'de>>(self, slot: &mut Slot<T>) -> Result<(), Self::Error>;
    fn read_members<M: Members<'de>>(self, slot: &mut Slot<M>) -> Result<(), Self::Error>;
    fn skip(self) -> Result<(), Self::Error>;
}

/// Reads an object in one go. Fails if anything is amiss with any of its members.
pub(super) fn at_once<'de, M: Members<'de>>(object: &'de str) -> serde_json::Result<M> {
    fill(object, false)
}

/// Reads each member on its own, so that what is amiss with one is noted in its slot and cannot spoil the others. Fails
/// for what is not an object.
pub(super) fn with_care<'de, M: Members<'de>>(object: &'de str) -> serde_json::Result<M> {
    fill(object, true)
}

fn fill<'de, M: Members<'de>>(object: &'de str, with_care: bool) -> serde_json::Result<M> {
    let mut members = M::default();
    let mut deserializer = serde_json::Deserializer::from_str(object);
    let fill = Fill {
        members: &mut members,
        with_care,
    };
    fill.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(members)
}

struct Fill<'m, M> {
    members: &'m mut M,
    with_care: bool,
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, M: Members<'de>> DeserializeSeed<'de> for Fill<'_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, M: Members<'de>> Visitor<'de> for Fill<'_, M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            if self.with_care {
                let Ok(()) = self.members.read(&name, Alone(map.next_value()?));
            } else {
                self.members.read(&name, InPlace(&mut map))?;
            }
        }
        Ok(())
    }
}

/// A value to be read where it stands: if it cannot be, neither can what follows.
struct InPlace<'m, A>(&'m mut A);

impl<'de, A: MapAccess<'de>> Value<'de> for InPlace<'_, A> {
    type Error = A::Error;

    fn read<T: Deserialize<'de>>(self, slot: &mut Slot<T>) -> Result<(), A::Error> {
        match self.0.next_value()? {
            None => Ok(()),
            Some(value) if slot.is_absent() => {
                *slot = Slot::Is(value);
                Ok(())
            }
            Some(_second) => Err(A::Error::custom("a member is there twice")),
        }
    }

    fn read_members<M: Members<'de>>(self, slot: &mut Slot<M>) -> Result<(), A::Error> {
        if !slot.is_absent() {
            return Err(A::Error::custom("a member is there twice"));
        }
        let mut members = M::default();
        self.0.next_value_seed(Fill {
            members: &mut members,
            with_care: false,
        })?;
        *slot = Slot::Is(members);
        Ok(())
    }

    fn skip(self) -> Result<(), A::Error> {
        self.0.next_value::<IgnoredAny>().map(drop)
    }
}

/// A value that was cut out, to be read by itself.
struct Alone<'de>(&'de RawValue);

impl<'de> Value<'de> for Alone<'de> {
    type Error = Infallible;

    fn read<T: Deserialize<'de>>(self, slot: &mut Slot<T>) -> Result<(), Infallible> {
        slot.put(serde_json::from_str(self.0.get()));
        Ok(())
    }

    fn read_members<M: Members<'de>>(self, slot: &mut Slot<M>) -> Result<(), Infallible> {
        slot.put(match self.0.get() {
            "null" => Ok(None),
            object => with_care(object).map(Some),
        });
        Ok(())
    }

    fn skip(self) -> Result<(), Infallible> {
        Ok(())
    }
}
