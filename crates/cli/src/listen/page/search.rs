//! Which requests hold a text.

use std::sync::Arc;

use memchr::memchr2_iter;

use crate::listen::store::Stored;

/// The keys of those that have it in their path, kind, channel, body or answer. ASCII letters match in both cases.
pub(super) fn search(stored: &[Arc<Stored>], text: &str) -> Vec<u64> {
    let needle = text.as_bytes();
    let found = stored.iter().filter(|stored| {
        let entry = &stored.entry;
        let answer = entry.answer.as_ref();
        let channel = stored.channel.as_deref().unwrap_or_default();
        let error = entry.error.as_deref().unwrap_or_default();
        [
            &entry.body[..],
            answer.map_or(&[], |answer| &answer.body),
            entry.uri.as_bytes(),
            entry.kind.as_bytes(),
            channel.as_bytes(),
            error.as_bytes(),
        ]
        .iter()
        .any(|haystack| contains(haystack, needle))
    });
    found.map(|stored| stored.key).collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else {
        return true;
    };
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    memchr2_iter(lower, upper, haystack).any(|start| {
        let found = haystack.get(start..start + needle.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(needle))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_match_in_both_cases() {
        let body = br#"{"email":"Ada@Example.com"}"#;
        for (text, is_found) in [
            ("ada@example", true),
            ("EXAMPLE.COM\"}", true),
            ("", true),
            ("}", true),
            ("example.org", false),
            ("}}", false),
        ] {
            assert_eq!(contains(body, text.as_bytes()), is_found, "{text}");
        }
    }
}
