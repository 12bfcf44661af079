/// The paths that are sent on: those below the path of `--to`.
///
/// A tunnel makes what is behind it public; it must not be the whole application.
pub(super) struct Scope(String);

impl Scope {
    pub(super) fn new(prefix: &str) -> Self {
        Self(prefix.trim_end_matches('/').to_owned())
    }

    /// Whether a path is below the prefix, however the receiver normalises it.
    pub(super) fn contains(&self, path: &str) -> bool {
        let rest = path.strip_prefix(&self.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            && (self.0.is_empty() || !has_dot_segment(path))
    }

    pub(super) fn prefix(&self) -> &str {
        &self.0
    }
}

/// Whether a segment is `.` or `..` for any receiver: percent-encoded, even twice, with parameters, behind a backslash.
fn has_dot_segment(path: &str) -> bool {
    let mut path = path.to_ascii_lowercase();
    while path.contains("%25") {
        path = path.replace("%25", "%");
    }
    for (encoded, plain) in [
        ("%2e", "."),
        ("%2f", "/"),
        ("%5c", "/"),
        ("\\", "/"),
        ("%3b", ";"),
    ] {
        path = path.replace(encoded, plain);
    }
    path.split('/')
        .filter_map(|segment| segment.split(';').next())
        .any(|segment| matches!(segment, "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_the_prefix_is_sent_on() {
        for prefix in ["/cronofy", "/cronofy/"] {
            let scope = Scope::new(prefix);
            for path in [
                "/cronofy",
                "/cronofy/",
                "/cronofy/42",
                "/cronofy/a..b/.well-known",
                "/cronofy//x",
            ] {
                assert!(scope.contains(path), "{path}");
            }
            for path in [
                "/",
                "*",
                "",
                "/cronofyx",
                "/Cronofy/42",
                "//cronofy/42",
                "/admin/cronofy",
            ] {
                assert!(!scope.contains(path), "{path}");
            }
        }
    }

    #[test]
    fn a_prefix_cannot_be_left_by_dot_segments() {
        let scope = Scope::new("/cronofy");
        for segment in [
            "..",
            ".",
            "%2e%2e",
            ".%2E",
            "%252e%252e",
            "%25252e.",
            "..;a=b",
            "..%3ba",
            "..%2fadmin",
            "..\\admin",
            "a%5c..%5c",
        ] {
            let path = format!("/cronofy/{segment}/admin");
            assert!(!scope.contains(&path), "{path}");
        }
    }

    #[test]
    fn without_a_prefix_every_path_is_sent_on() {
        for prefix in ["", "/"] {
            let scope = Scope::new(prefix);
            assert!(scope.contains("/") && scope.contains("/a/../b") && !scope.contains("*"));
        }
    }
}
