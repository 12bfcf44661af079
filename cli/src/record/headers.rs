use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

/// Credentials: their values are not recorded.
const SENSITIVE: [HeaderName; 4] = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE];

/// The headers of a recorded message, in order, with their names in lower case.
#[derive(Serialize, Deserialize)]
pub(crate) struct Headers(Vec<(String, Option<Value>)>);

#[derive(Serialize, Deserialize)]
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
