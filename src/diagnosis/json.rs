//! JSON, written again in the styles that serialisers have.

use std::borrow::Cow;
use std::iter;

use serde::de::IgnoredAny;

use super::order::rank;

/// Deeper JSON is not rewritten. Cronofy's documented bodies have 6 levels.
const MAX_DEPTH: usize = 16;

/// How JSON can be laid out and escaped.
#[derive(Clone, Copy)]
pub(super) struct Style {
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

pub(super) const STYLES: [Style; 15] = {
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

impl Escapes {
    const fn new(html: bool, ascii: bool, slash: bool) -> Self {
        Self { html, ascii, slash }
    }
}

/// A JSON text that keeps the order of its fields and the text of its numbers.
#[derive(Clone)]
pub(super) struct Json<'a> {
    root: Node<'a>,
    length: usize,
}

#[derive(Clone)]
enum Node<'a> {
    /// A number, a literal, or a string with a lone surrogate: kept as it is.
    Raw(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Object(Vec<(Node<'a>, Node<'a>)>),
}

impl<'a> Json<'a> {
    /// `None` if `body` is not JSON, or too deep.
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(body).ok()?;
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        Some(Self {
            root: Parser(text).value(MAX_DEPTH)?,
            length: text.len(),
        })
    }

    /// The text in `style`; `None` if that is over 8 times as long as the body and another KiB.
    pub(super) fn write(&self, style: Style) -> Option<Vec<u8>> {
        let mut writer = Writer {
            text: String::with_capacity(self.length),
            limit: 8 * self.length + 1024,
            style,
        };
        writer.value(&self.root, 0)?;
        Some(writer.text.into_bytes())
    }

    /// The same with all fields in the order of Cronofy's documentation; `None` if they are in that order.
    pub(super) fn in_documented_order(&self) -> Option<Self> {
        let Node::Object(fields) = &self.root else {
            return None;
        };
        let is_notification = fields.iter().any(|(name, _)| name.name() == "notification");
        let mut ordered = self.clone();
        let changed = ordered.root.reorder(&|name| rank(name, is_notification));
        changed.then_some(ordered)
    }

    /// Whether the fields of all objects are in alphabetical order.
    pub(super) fn is_sorted(&self) -> bool {
        self.root.is_sorted()
    }
}

impl Node<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }

    /// Whether that changed anything.
    fn reorder(&mut self, rank: &impl Fn(&str) -> usize) -> bool {
        let mut changed = false;
        match self {
            Self::Raw(_) | Self::Text(_) => {}
            Self::List(items) => {
                for item in items {
                    changed |= item.reorder(rank);
                }
            }
            Self::Object(fields) => {
                changed |= !fields.is_sorted_by_key(|(name, _)| rank(name.name()));
                fields.sort_by_cached_key(|(name, _)| rank(name.name()));
                for (_, value) in fields {
                    changed |= value.reorder(rank);
                }
            }
        }
        changed
    }

    fn is_sorted(&self) -> bool {
        match self {
            Self::Raw(_) | Self::Text(_) => true,
            Self::List(items) => items.iter().all(Node::is_sorted),
            Self::Object(fields) => {
                fields.is_sorted_by(|(a, _), (b, _)| a.name() <= b.name())
                    && fields.iter().all(|(_, value)| value.is_sorted())
            }
        }
    }
}

/// Takes JSON apart that is known to be valid.
struct Parser<'a>(&'a str);

impl<'a> Parser<'a> {
    fn value(&mut self, depth: usize) -> Option<Node<'a>> {
        self.0 = self.0.trim_start();
        match self.0.as_bytes().first()? {
            b'"' => self.string(),
            b'[' => {
                let depth = depth.checked_sub(1)?;
                let mut items = Vec::new();
                self.items(']', |parser| {
                    items.push(parser.value(depth)?);
                    Some(())
                })?;
                Some(Node::List(items))
            }
            b'{' => {
                let depth = depth.checked_sub(1)?;
                let mut fields = Vec::new();
                self.items('}', |parser| {
                    let name = parser.string()?;
                    parser.0 = parser.0.trim_start().strip_prefix(':')?;
                    fields.push((name, parser.value(depth)?));
                    Some(())
                })?;
                Some(Node::Object(fields))
            }
            _ => {
                let is_end = |c: char| matches!(c, ',' | ']' | '}') || c.is_ascii_whitespace();
                let end = self.0.find(is_end).unwrap_or(self.0.len());
                let (value, rest) = self.0.split_at(end);
                self.0 = rest;
                Some(Node::Raw(value))
            }
        }
    }

    /// What is between a bracket and `close`.
    fn items(&mut self, close: char, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.0 = self.0[1..].trim_start();
        while !self.0.starts_with(close) {
            item(self)?;
            self.0 = self.0.trim_start();
            self.0 = self.0.strip_prefix(',').unwrap_or(self.0).trim_start();
        }
        self.0 = &self.0[1..];
        Some(())
    }

    fn string(&mut self) -> Option<Node<'a>> {
        let mut is_escaped = false;
        let end = self.0.bytes().skip(1).position(|byte| {
            let is_end = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            is_end
        })?;
        let (quoted, rest) = self.0.split_at(end + 2);
        self.0 = rest;
        let text = &quoted[1..=end];
        if !text.contains('\\') {
            return Some(Node::Text(text.into()));
        }
        let unescaped = serde_json::from_str::<String>(quoted);
        Some(unescaped.map_or(Node::Raw(quoted), |text| Node::Text(text.into())))
    }
}

struct Writer {
    text: String,
    limit: usize,
    style: Style,
}

impl Writer {
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
