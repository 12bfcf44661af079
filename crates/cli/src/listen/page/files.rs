//! The three files. They are public, and hold nothing of a run.

use axum::Router;
use axum::routing::get;
use http::header::CONTENT_TYPE;

pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", file("text/html", include_str!("assets/index.html")))
        .route(
            "/style.css",
            file("text/css", include_str!("assets/style.css")),
        )
        .route(
            "/app.js",
            file("text/javascript", include_str!("assets/app.js")),
        )
}

fn file<S: Clone + Send + Sync + 'static>(
    r#type: &'static str,
    text: &'static str,
) -> axum::routing::MethodRouter<S> {
    let content_type = format!("{type}; charset=utf-8");
    get(async move || ([(CONTENT_TYPE, content_type)], text))
}

#[cfg(test)]
mod tests {
    /// What makes markup or code of text, besides the policy that forbids it.
    #[test]
    fn text_is_never_markup_or_code() {
        let script = include_str!("assets/app.js");
        for sink in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "createContextualFragment",
            "document.write",
            "DOMParser",
            "eval(",
            "Function(",
            "setAttribute(\"on",
            "EventSource",
            "document.cookie",
        ] {
            let uses = script.matches(sink).count();
            // A comment says why there is none.
            let told = usize::from(sink == "EventSource");
            assert_eq!(uses, told, "{sink}");
        }
        let page = include_str!("assets/index.html");
        for inline in ["<style", " style=", " on", "javascript:"] {
            assert!(!page.contains(inline), "{inline}");
        }
        assert_eq!(page.matches("<script").count(), 1);
    }
}
