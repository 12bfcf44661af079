//! A delivery as a command for a POSIX shell.

use std::fmt::Write as _;

use http::HeaderValue;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, USER_AGENT};
use http::uri::Authority;

use crate::listen::end_to_end;
use crate::listen::guide::shell_quoted;
use crate::listen::proxy::Proxy;
use crate::listen::store::Stored;

/// The longest text for one argument, with room below the limit of Linux.
const ARGUMENT: usize = 100_000;

/// What curl adds if nobody says anything about it.
const ADDED: [HeaderName; 3] = [ACCEPT, CONTENT_TYPE, USER_AGENT];

/// The command that sends the same bytes and headers to the receiver.
pub(super) fn curl(proxy: &Proxy, stored: &Stored) -> String {
    let entry = &stored.entry;
    let target = proxy.receiver.target().uri();
    let origin = format!(
        "{}://{}",
        target.scheme_str().unwrap_or("http"),
        target.authority().map_or("", Authority::as_str)
    );
    let url = word(format!("{origin}{}", entry.uri).as_bytes());
    let mut words = vec![format!("curl --include --globoff --path-as-is {url}")];
    if entry.method != "POST" {
        words.push(format!("--request {}", word(entry.method.as_bytes())));
    }
    words.extend(headers(proxy, stored));
    let body = &entry.body;
    let text = str::from_utf8(body).ok();
    let text = text.filter(|text| is_plain(text) && text.len() < ARGUMENT);
    let mut input = String::new();
    match text {
        Some("") if entry.method != "POST" => {}
        Some(text) => words.push(format!("--data-raw {}", shell_quoted(text))),
        None => {
            // A built-in of the shell takes arguments of any length.
            input = format!("printf '%b' {} | ", escaped(body));
            words.push("--header 'expect:' --data-binary @-".to_owned());
        }
    }
    format!("{input}{}", words.join(" \\\n  "))
}

fn headers(proxy: &Proxy, stored: &Stored) -> Vec<String> {
    let mut headers = end_to_end(&stored.entry.headers.to_map());
    headers.remove(CONTENT_LENGTH);
    if let (Some(host), Some(value)) = (headers.get_mut(HOST), &proxy.host_header) {
        *host = value.clone();
    }
    let sent = headers
        .iter()
        .map(|(name, value)| format!("--header {}", header(name, value)));
    let left_out = ADDED.iter().filter(|name| !headers.contains_key(*name));
    let left_out = left_out.map(|name| format!("--header '{name}:'"));
    sent.chain(left_out).collect()
}

/// An empty value would remove the header.
fn header(name: &HeaderName, value: &HeaderValue) -> String {
    if value.is_empty() {
        return format!("'{name};'");
    }
    word(&[name.as_str().as_bytes(), b": ", value.as_bytes()].concat())
}

/// One word.
fn word(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) if is_plain(text) => shell_quoted(text),
        _ => format!("\"$(printf '%b' {})\"", escaped(bytes)),
    }
}

/// Whether it arrives at a shell as it was pasted.
fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && c != '\n')
}

/// A word that `printf %b` prints as these bytes.
fn escaped(bytes: &[u8]) -> String {
    let mut escaped = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => escaped += r"\\",
                '\n' => escaped += r"\n",
                c if c.is_ascii_control() => {
                    // Writing to a `String` cannot fail.
                    let _ = write!(escaped, "\\0{:03o}", u32::from(c));
                }
                c => escaped.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(escaped, "\\0{byte:03o}");
        }
    }
    shell_quoted(&escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_one_of_a_word() {
        for (bytes, expected) in [
            (&b"it's $(x) `y` !z \\"[..], r"'it'\''s $(x) `y` !z \'"),
            (b"a\n\\\0\xff'", r#""$(printf '%b' 'a\n\\\0000\0377'\''')""#),
        ] {
            assert_eq!(word(bytes), expected);
        }
    }
}
