use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

/// Credentials: their values are not recorded.
const SENSITIVE: [HeaderName; 4] = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE];

/// The headers of a recorded message, in order, with their names in lower case.
#[derive(Serialize, Deserialize)]
pub(crate) struct Headers(Vec<(String, Option<Value>)>);

#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    /// One that is not UTF-8.
    Bytes {
        #[serde(with = "super::base64")]
        b64: Vec<u8>,
    },
}

impl From<&HeaderMap> for Headers {
    fn from(headers: &HeaderMap) -> Self {
        let recorded = headers.iter().map(|(name, value)| {
            let value = (!SENSITIVE.contains(name)).then(|| Value::from(value.as_bytes()));
            (name.to_string(), value)
        });
        Self(recorded.collect())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        match str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes {
                b64: bytes.to_vec(),
            },
        }
    }
}

impl Headers {
    /// The same, with the text of one header made unrecognisable.
    pub(crate) fn masked(&self, masked: &HeaderName, mask: impl Fn(&str) -> String) -> Self {
        let headers = self.0.iter().map(|(name, value)| {
            let value = match value {
                Some(Value::Text(text)) if name == masked.as_str() => Some(Value::Text(mask(text))),
                Some(Value::Bytes { .. }) if name == masked.as_str() => {
                    Some(Value::Text("…".to_owned()))
                }
                value => value.clone(),
            };
            (name.clone(), value)
        });
        Self(headers.collect())
    }

    /// How much memory they take, nearly.
    pub(crate) fn size(&self) -> usize {
        let sizes = self.0.iter().map(|(name, value)| {
            name.len()
                + match value {
                    Some(Value::Text(text)) => text.len(),
                    Some(Value::Bytes { b64 }) => b64.len(),
                    None => 0,
                }
        });
        sizes.sum()
    }

    /// Those that were recorded with their value, and can be sent.
    pub(crate) fn to_map(&self) -> HeaderMap {
        let known = self.0.iter().filter_map(|(name, value)| {
            let bytes = match value.as_ref()? {
                Value::Text(text) => text.as_bytes(),
                Value::Bytes { b64 } => b64,
            };
            let name: HeaderName = name.parse().ok()?;
            Some((name, HeaderValue::from_bytes(bytes).ok()?))
        });
        let mut map = HeaderMap::new();
        for (name, value) in known {
            map.append(name, value);
        }
        map
    }
}
