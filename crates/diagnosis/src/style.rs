//! The styles that serialisers write JSON in.

use std::iter;

use crate::json::{Json, Node};

/// How JSON can be laid out and escaped.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    layout: Layout,
    escapes: Escapes,
}

#[derive(Clone, Copy)]
enum Layout {
    Compact,
    /// A space after each comma and colon, as Python writes.
    Spaced,
    /// By two spaces.
    Indented,
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

pub(crate) const STYLES: [Style; 15] = {
    let layouts = [Layout::Compact, Layout::Spaced, Layout::Indented];
    let escapes = [
        Escapes::new(false, false, false),
        Escapes::new(true, false, false),
        Escapes::new(false, true, false),
        Escapes::new(false, false, true),
        Escapes::new(false, true, true),
    ];
    let first = Style {
        layout: Layout::Compact,
        escapes: escapes[0],
    };
    let mut styles = [first; 15];
    let mut index = 0;
    while index < styles.len() {
        styles[index] = Style {
            layout: layouts[index / escapes.len()],
            escapes: escapes[index % escapes.len()],
        };
        index += 1;
    }
    styles
};

impl Style {
    /// `json` in this style; `None` if that is over 8 times as long as the body and another KiB.
    pub(crate) fn write(self, json: &Json<'_>) -> Option<Vec<u8>> {
        let limit = 8 * json.length + 1024;
        Some(Writer::new(self, limit).write(&json.root)?.into_bytes())
    }
}

impl Escapes {
    const fn new(html: bool, ascii: bool, slash: bool) -> Self {
        Self { html, ascii, slash }
    }
}

/// Writes JSON in a style, up to a length.
struct Writer {
    text: String,
    limit: usize,
    style: Style,
}

impl Writer {
    fn new(style: Style, limit: usize) -> Self {
        Self {
            text: String::new(),
            limit,
            style,
        }
    }

    /// `None` if the text would be over the limit.
    fn write(mut self, root: &Node<'_>) -> Option<String> {
        self.value(root, 0)?;
        Some(self.text)
    }

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
                        Layout::Spaced | Layout::Indented => ": ",
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
        if matches!(self.style.layout, Layout::Indented) {
            self.text.push('\n');
            self.text.extend(iter::repeat_n("  ", depth));
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
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if html => self.escape(c),
                _ if ascii && !c.is_ascii() => self.escape(c),
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
