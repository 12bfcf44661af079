use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::UnknownReason;
use super::object::Object;

/// A body taken apart into its top-level members, each of them still text: a kind reads those that are its own, and
/// what the others hold cannot spoil it.
pub(super) struct Body<'a> {
    members: Members<'a>,
    kind: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    notification: Option<&'a RawValue>,
    #[serde(borrow)]
    channel: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

impl<'a> Body<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, UnknownReason> {
        let Object(members) = serde_json::from_slice::<Object<Members<'a>>>(body)
            .map_err(|_| UnknownReason::NotAnObject)?;
        let kind = members
            .notification
            .and_then(|text| serde_json::from_str::<Object<Tag<'a>>>(text.get()).ok())
            .map(|Object(tag)| tag.kind);
        Ok(Self { members, kind })
    }

    /// `notification.type`.
    pub(super) fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    pub(super) fn notification<T: DeserializeOwned>(&self) -> Result<T, UnknownReason> {
        required("notification", self.members.notification)
    }

    pub(super) fn channel<T: DeserializeOwned>(&self) -> Result<T, UnknownReason> {
        required("channel", self.members.channel)
    }
}

fn required<T: DeserializeOwned>(
    member: &'static str,
    text: Option<&RawValue>,
) -> Result<T, UnknownReason> {
    let Some(text) = text else {
        return Err(UnknownReason::Missing { member });
    };
    match serde_json::from_str::<Object<T>>(text.get()) {
        Ok(Object(value)) => Ok(value),
        Err(error) => Err(UnknownReason::Malformed {
            member,
            detail: error.to_string(),
        }),
    }
}
