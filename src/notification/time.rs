use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// When an event, or a proposed time, starts or ends.
///
/// Cronofy sends it in several forms, whose text is kept as it was sent:
///
/// - the time alone, as a string: `"2026-06-25T15:30:00Z"`;
/// - the time with a zone, as an object: `{ "time": "2026-04-21T23:00:00+02:00", "tzid": "Europe/Paris" }`;
/// - in either place a date, for an event of whole days: `"2026-06-25"`.
///
/// The methods parse the text when they are called, and return `None` if it lacks what they return. Text that is not a
/// time is kept as well.
///
/// ```
/// use cronofy_webhook::Notification;
/// use cronofy_webhook::notification::EventTime;
///
/// fn start(form: &str) -> EventTime {
///     let body = format!(r#"{{ "event": {{ "event_id": "evt-1", "start": {form}, "end": {form} }} }}"#);
///     match Notification::from_slice(body.as_bytes()) {
///         Notification::RealTimeSchedulingCompleted(completed) => completed.event.start.unwrap(),
///         _ => panic!("not completed"),
///     }
/// }
///
/// let zoned = start(r#"{ "time": "2026-04-21T23:00:00+02:00", "tzid": "Europe/Paris" }"#);
/// assert_eq!(zoned.timestamp().unwrap().to_string(), "2026-04-21T21:00:00Z");
/// assert_eq!(zoned.datetime().unwrap().to_string(), "2026-04-21T23:00:00");
/// assert_eq!(zoned.tzid(), Some("Europe/Paris"));
///
/// let local = start(r#"{ "time": "2026-06-25T15:30:00", "tzid": "UTC" }"#);
/// assert_eq!(local.timestamp().unwrap().to_string(), "2026-06-25T15:30:00Z");
///
/// let without_zone = start(r#""2026-06-25T15:30:00""#);
/// assert_eq!(without_zone.timestamp(), None);
///
/// let whole_day = start(r#""2026-06-25""#);
/// assert_eq!(whole_day.date().unwrap().to_string(), "2026-06-25");
/// assert_eq!((whole_day.datetime(), whole_day.timestamp()), (None, None));
///
/// let text = start(r#""after lunch""#);
/// assert_eq!(text.as_str(), "after lunch");
/// assert_eq!((text.date(), text.timestamp()), (None, None));
/// ```
///
/// Source: Cronofy's API documentation, [Data Types](https://docs.cronofy.com/developers/api/data-types), and the examples of the callbacks that carry one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventTime {
    time: String,
    tzid: Option<String>,
}

impl EventTime {
    /// The text of the time, as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.time
    }

    /// The IANA name of the time zone that was sent with the time: `"Europe/Paris"`, for example. Absent in the string form.
    #[must_use]
    pub fn tzid(&self) -> Option<&str> {
        self.tzid.as_deref()
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
pub(super) struct WireTimestamp(pub(super) Timestamp);

impl<'de> Deserialize<'de> for WireTimestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl Visitor<'_> for TextVisitor {
            type Value = WireTimestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 or ISO 8601 time such as 2026-04-19T09:24:16Z")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<WireTimestamp, E> {
                text.parse()
                    .or_else(|error| nine_digits(text).map_or(Err(error), |text| text.parse()))
                    .map(WireTimestamp)
                    .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(TextVisitor)
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
        #[derive(Deserialize)]
        struct Zoned {
            time: String,
            tzid: Option<String>,
        }

        struct FormVisitor;

        impl<'de> Visitor<'de> for FormVisitor {
            type Value = EventTime;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or an object of `time` and `tzid`")
            }

            fn visit_str<E>(self, text: &str) -> Result<EventTime, E> {
                Ok(EventTime {
                    time: text.to_owned(),
                    tzid: None,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<EventTime, A::Error> {
                let Zoned { time, tzid } = Zoned::deserialize(MapAccessDeserializer::new(fields))?;
                Ok(EventTime { time, tzid })
            }
        }

        deserializer.deserialize_any(FormVisitor)
    }
}
