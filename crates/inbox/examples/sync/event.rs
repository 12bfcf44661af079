//! The answer of [Read Events](https://docs.cronofy.com/developers/api/events/read-events/).

use serde::Deserialize;
use serde_json::value::RawValue;

/// One page.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) events: Vec<Event>,
    /// The URL of the next page, if there is one.
    pub(crate) next: Option<String>,
}

/// An event: what the program needs to know of it, and all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) uid: String,
    /// A date, or a time in UTC.
    pub(crate) start: String,
    pub(crate) end: String,
    pub(crate) deleted: bool,
    /// As it was received.
    pub(crate) json: String,
}

impl Page {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Answer<'a> {
            pages: Pages,
            #[serde(borrow)]
            events: Vec<&'a RawValue>,
        }
        #[derive(Deserialize)]
        struct Pages {
            next_page: Option<String>,
        }
        let answer: Answer<'_> = serde_json::from_slice(body)?;
        let events = answer
            .events
            .into_iter()
            .map(|event| Event::parse(event.get()));
        Ok(Self {
            events: events.collect::<Result<_, _>>()?,
            next: answer.pages.next_page,
        })
    }
}

impl Event {
    fn parse(json: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Fields {
            event_uid: String,
            start: String,
            end: String,
            #[serde(default)]
            deleted: bool,
        }
        let fields: Fields = serde_json::from_str(json)?;
        Ok(Self {
            uid: fields.event_uid,
            start: fields.start,
            end: fields.end,
            deleted: fields.deleted,
            json: json.to_owned(),
        })
    }

    #[cfg(test)]
    pub(crate) fn for_test(uid: &str, start: &str, end: &str) -> Self {
        let json = serde_json::json!({ "event_uid": uid, "start": start, "end": end });
        Self::parse(&json.to_string()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The form of the documentation's example.
    #[test]
    fn a_page_is_parsed() {
        let page = Page::parse(
            br#"{
                "pages": { "current": 1, "total": 2, "next_page": "https://api.cronofy.com/v1/events/pages/08a07b034306679e" },
                "events": [
                    { "event_uid": "evt_external_1", "summary": "Retreat", "start": "2026-09-06", "end": "2026-09-08", "deleted": false },
                    { "event_uid": "evt_external_2", "start": "2026-09-06T10:00:00Z", "end": "2026-09-06T11:00:00Z", "deleted": true }
                ]
            }"#,
        );
        let page = page.unwrap();
        assert_eq!(
            page.next.as_deref(),
            Some("https://api.cronofy.com/v1/events/pages/08a07b034306679e")
        );
        let [retreat, deleted] = &page.events[..] else {
            panic!("{page:?}")
        };
        assert_eq!(
            (
                retreat.uid.as_str(),
                retreat.start.as_str(),
                retreat.deleted
            ),
            ("evt_external_1", "2026-09-06", false)
        );
        assert!(retreat.json.contains(r#""summary": "Retreat""#));
        assert!(deleted.deleted);
    }

    #[test]
    fn the_last_page_has_no_next_one() {
        for pages in [
            r#"{"current":1,"total":1}"#,
            r#"{"current":1,"total":1,"next_page":null}"#,
        ] {
            let body = format!(r#"{{"pages":{pages},"events":[]}}"#);
            assert_eq!(Page::parse(body.as_bytes()).unwrap().next, None);
        }
    }
}
