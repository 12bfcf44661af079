use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// When an event, or a proposed time, starts or ends.
///
/// Cronofy sends it in several forms, and this is kept as it was sent:
///
/// - the time alone, as a string: `"2026-06-25T15:30:00Z"`;
/// - the time with a zone, as an object: `{ "time": "2026-04-21T23:00:00+02:00", "tzid": "Europe/Paris" }`;
/// - in either place a date, for an event of whole days: `"2026-06-25"`.
///
/// The methods parse the text when they are called, and return `None` if it lacks what they return. Text that is not a
/// time is kept as well.
///
/// ```
/// use cronofy_webhook::notification::EventTime;
///
/// let start: EventTime = serde_json::from_str(r#"{ "time": "2026-04-21T23:00:00+02:00", "tzid": "Europe/Paris" }"#)?;
/// assert_eq!(start.timestamp().unwrap().to_string(), "2026-04-21T21:00:00Z");
/// assert_eq!(start.datetime().unwrap().to_string(), "2026-04-21T23:00:00");
/// assert_eq!(start.tzid(), Some("Europe/Paris"));
///
/// let start: EventTime = serde_json::from_str(r#""2026-06-25""#)?;
/// assert_eq!(start.date().unwrap().to_string(), "2026-06-25");
/// assert_eq!((start.datetime(), start.timestamp()), (None, None));
///
/// let start: EventTime = serde_json::from_str(r#""after lunch""#)?;
/// assert_eq!(start.as_str(), "after lunch");
/// assert_eq!((start.date(), start.timestamp()), (None, None));
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// Source: Cronofy's API documentation, [Data Types](https://docs.cronofy.com/developers/api/data-types), and the examples of the callbacks that carry one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct EventTime(Form);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
enum Form {
    Text(String),
    Zoned(Zoned),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Zoned {
    time: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tzid: Option<String>,
}

impl EventTime {
    /// The text of the time, as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Text(text) => text,
            Form::Zoned(Zoned { time, .. }) => time,
        }
    }

    /// The IANA name of the time zone that was sent with the time: `"Europe/Paris"`, for example. Absent in the string form.
    #[must_use]
    pub fn tzid(&self) -> Option<&str> {
        match &self.0 {
            Form::Text(_) => None,
            Form::Zoned(Zoned { tzid, .. }) => tzid.as_deref(),
        }
    }

    /// The instant.
    ///
    /// An offset in the text decides, and [`tzid`](Self::tzid) then only says where the event takes place. A time
    /// without an offset is taken as local time in that zone, which is looked up in jiff's time zone database: the
    /// system's, where it has one, and others by the features that the application enables in `jiff`. Local time that
    /// occurs twice is the first of the two; local time that a change of clocks leaves out is moved on by as much.
    ///
    /// `None` for a date, which is not an instant; for local time without a zone, or in one that is not found; and for
    /// text that is no time.
    ///
    /// ```
    /// use cronofy_webhook::notification::EventTime;
    ///
    /// let start: EventTime = serde_json::from_str(r#"{ "time": "2026-06-25T15:30:00", "tzid": "UTC" }"#)?;
    /// assert_eq!(start.timestamp().unwrap().to_string(), "2026-06-25T15:30:00Z");
    ///
    /// let start: EventTime = serde_json::from_str(r#""2026-06-25T15:30:00""#)?;
    /// assert_eq!(start.timestamp(), None);
    /// # Ok::<_, serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        let pieces = self.pieces()?;
        let local = pieces.date().to_datetime(pieces.time()?);
        if let Some(offset) = pieces.to_numeric_offset() {
            return offset.to_timestamp(local).ok();
        }
        let zone = TimeZone::get(self.tzid()?).ok()?;
        if zone.is_unknown() {
            return None;
        }
        zone.to_timestamp(local).ok()
    }

    /// The date as it is written: for an event of whole days all there is, else the date part of the time.
    ///
    /// Of a time that is written in UTC it is the date in UTC, which can be another one than where the event takes
    /// place. `None` for text that is no time.
    #[must_use]
    pub fn date(&self) -> Option<Date> {
        self.pieces().map(|pieces| pieces.date())
    }

    /// Date and time of day as they are written, whatever the offset.
    ///
    /// Of a time that is written in UTC they are those in UTC. `None` for a date, and for text that is no time.
    #[must_use]
    pub fn datetime(&self) -> Option<DateTime> {
        let pieces = self.pieces()?;
        Some(pieces.date().to_datetime(pieces.time()?))
    }

    fn pieces(&self) -> Option<Pieces<'_>> {
        Pieces::parse(self.as_str()).ok()
    }
}

/// An instant that is no start or end of an event: `changes_since`, for example.
///
/// The forms of RFC 3339 and ISO 8601 that jiff parses. Digits of a fraction after the ninth are cut off, which is never
/// later.
pub(super) struct Instant(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InstantVisitor;

        impl Visitor<'_> for InstantVisitor {
            type Value = Instant;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an instant, as text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Instant, E> {
                text.parse()
                    .or_else(|error| nine_digits(text).map_or(Err(error), |text| text.parse()))
                    .map(Instant)
                    .map_err(|_| E::custom("not an instant"))
            }
        }

        deserializer.deserialize_str(InstantVisitor)
    }
}

/// A time without the digits of its fraction that are more than nine.
fn nine_digits(text: &str) -> Option<String> {
    let fraction = text.find(['.', ','])? + 1;
    let digits = text[fraction..]
        .bytes()
        .take_while(u8::is_ascii_digit)
        .count();
    let excess = fraction + 9..fraction + digits;
    (digits > 9).then(|| [&text[..excess.start], &text[excess.end..]].concat())
}

impl<'de> Deserialize<'de> for EventTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FormVisitor;

        impl<'de> Visitor<'de> for FormVisitor {
            type Value = Form;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or an object of `time` and `tzid`")
            }

            fn visit_str<E>(self, text: &str) -> Result<Form, E> {
                Ok(Form::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Form, E> {
                Ok(Form::Text(text))
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Form, A::Error> {
                Zoned::deserialize(MapAccessDeserializer::new(members)).map(Form::Zoned)
            }
        }

        deserializer.deserialize_any(FormVisitor).map(Self)
    }
}
