//! The styles that serialisers write JSON in.

use std::iter;

use crate::json::{Json, Node};

/// How JSON can be laid out and escaped.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    layout: Layout,
    escapes: Escapes,
}

/// JavaScript's `JSON.stringify`.
pub(crate) const JAVASCRIPT: Style = Style::new(Layout::Compact, Escapes::NONE);
/// Python's `json.dumps`.
pub(crate) const PYTHON: Style = Style::new(Layout::Spaced, Escapes::ASCII);
/// PHP's `json_encode`.
pub(crate) const PHP: Style = Style::new(Layout::Compact, Escapes::ASCII.and(Escapes::SLASH));
/// Go's `json.Marshal`.
pub(crate) const GO: Style = Style::new(Layout::Compact, Escapes::HTML);

const LAYOUTS: [Layout; 4] = [
    Layout::Compact,
    Layout::Spaced,
    Layout::Indented("  "),
    Layout::Indented("    "),
];

const ESCAPES: [Escapes; 5] = [
    Escapes::NONE,
    Escapes::HTML,
    Escapes::ASCII,
    Escapes::SLASH,
    Escapes::ASCII.and(Escapes::SLASH),
];

/// How many texts [`texts`] gives at most.
pub(crate) const STYLES: usize = LAYOUTS.len() * ESCAPES.len();

/// `json` in each style, if no other style gives the same.
pub(crate) fn texts(json: &Json<'_>) -> impl Iterator<Item = String> {
    LAYOUTS.iter().flat_map(move |layout| {
        let plain = Style::new(*layout, Escapes::NONE).write(json);
        let escapes = plain.into_iter().flat_map(|plain| {
            let escapes = ESCAPES.iter();
            escapes.filter(move |escapes| escapes.all_change(&plain))
        });
        escapes.filter_map(move |escapes| Style::new(*layout, *escapes).write(json))
    })
}

#[derive(Clone, Copy)]
enum Layout {
    Compact,
    /// A space after each comma and colon, as Python writes.
    Spaced,
    Indented(&'static str),
}

/// What is escaped besides that which JSON requires.
#[derive(Clone, Copy)]
struct Escapes {
    /// `<`, `>`, `&`, U+2028 and U+2029, as Go and Rails do.
    html: bool,
    /// Everything that is not ASCII, as Python does.
    ascii: bool,
    /// `/`, as PHP does, which escapes what is not ASCII as well.
    slash: bool,
}

impl Style {
    const fn new(layout: Layout, escapes: Escapes) -> Self {
        Self { layout, escapes }
    }

    /// `json` in this style; `None` if that is over 8 times as long as the body and another KiB.
    pub(crate) fn write(self, json: &Json<'_>) -> Option<String> {
        let mut writer = Writer {
            text: String::new(),
            limit: 8 * json.length + 1024,
            style: self,
        };
        writer.value(&json.root, 0)?;
        Some(writer.text)
    }
}

impl Escapes {
    const NONE: Self = Self::new(false, false, false);
    const HTML: Self = Self::new(true, false, false);
    const ASCII: Self = Self::new(false, true, false);
    const SLASH: Self = Self::new(false, false, true);

    const fn new(html: bool, ascii: bool, slash: bool) -> Self {
        Self { html, ascii, slash }
    }

    const fn and(self, other: Self) -> Self {
        Self::new(
            self.html || other.html,
            self.ascii || other.ascii,
            self.slash || other.slash,
        )
    }

    /// Whether each of them changes the text without escapes.
    fn all_change(self, plain: &str) -> bool {
        (!self.html || plain.contains(is_html))
            && (!self.ascii || !plain.is_ascii())
            && (!self.slash || plain.contains('/'))
    }
}

fn is_html(c: char) -> bool {
    matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')
}

/// Writes JSON in a style, up to a length.
struct Writer {
    text: String,
    limit: usize,
    style: Style,
}

impl Writer {
    /// `None` if the text would be over the limit.
    fn value(&mut self, node: &Node<'_>, depth: usize) -> Option<()> {
        match node {
            Node::Raw(text) => self.text.push_str(text),
            Node::Text(text) => self.string(text),
            Node::List(items) => {
                self.items(['[', ']'], items, depth, |writer, item| {
                    writer.value(item, depth + 1)
                })?;
            }
            Node::Object(fields) => {
                self.items(['{', '}'], fields, depth, |writer, (name, value)| {
                    writer.value(name, depth + 1)?;
                    writer.text.push_str(match writer.style.layout {
                        Layout::Compact => ":",
                        Layout::Spaced | Layout::Indented(_) => ": ",
                    });
                    writer.value(value, depth + 1)
                })?;
            }
        }
        (self.text.len() <= self.limit).then_some(())
    }

    fn items<T>(
        &mut self,
        [open, close]: [char; 2],
        items: &[T],
        depth: usize,
        mut write: impl FnMut(&mut Self, &T) -> Option<()>,
    ) -> Option<()> {
        self.text.push(open);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.text.push(',');
                if matches!(self.style.layout, Layout::Spaced) {
                    self.text.push(' ');
                }
            }
            self.indent(depth + 1);
            write(self, item)?;
        }
        if !items.is_empty() {
            self.indent(depth);
        }
        self.text.push(close);
        Some(())
    }

    fn indent(&mut self, depth: usize) {
        if let Layout::Indented(indent) = self.style.layout {
            self.text.push('\n');
            self.text.extend(iter::repeat_n(indent, depth));
        }
    }

    fn string(&mut self, text: &str) {
        let Escapes { html, ascii, slash } = self.style.escapes;
        self.text.push('"');
        for c in text.chars() {
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '/' if slash => self.text.push_str("\\/"),
                '\0'..=' ' if c != ' ' => self.escape(c),
                _ if (html && is_html(c)) || (ascii && !c.is_ascii()) => self.escape(c),
                _ => self.text.push(c),
            }
        }
        self.text.push('"');
    }

    fn escape(&mut self, c: char) {
        for unit in c.encode_utf16(&mut [0; 2]) {
            self.text.push_str(&format!("\\u{unit:04x}"));
        }
    }
}
