//! JSON taken apart, with the order of its fields and the text of its numbers kept.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use crate::order::rank;

/// Deeper JSON is not rewritten. Cronofy's documented bodies have 6 levels.
const MAX_DEPTH: usize = 16;

/// A JSON text that keeps the order of its fields and the text of its numbers.
#[derive(Clone)]
pub(crate) struct Json<'a> {
    pub(crate) root: Node<'a>,
    /// Of the text.
    pub(crate) length: usize,
}

#[derive(Clone, PartialEq)]
pub(crate) enum Node<'a> {
    /// A number, a literal, or a string with a lone surrogate: kept as it is.
    Raw(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    Object(Vec<(Self, Self)>),
}

impl<'a> Json<'a> {
    /// `None` if `body` is not JSON, or too deep.
    pub(crate) fn parse(body: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(body).ok()?;
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        Some(Self {
            root: Parser(text).value(MAX_DEPTH)?,
            length: text.len(),
        })
    }

    /// The same with all fields in the order of Cronofy's documentation; `None` if they are in that order.
    pub(crate) fn in_documented_order(&self) -> Option<Self> {
        let Node::Object(fields) = &self.root else {
            return None;
        };
        let is_notification = fields.iter().any(|(name, _)| name.name() == "notification");
        let mut ordered = self.clone();
        let changed = ordered.root.reorder(&|name| rank(name, is_notification));
        changed.then_some(ordered)
    }

    /// Whether the fields of all objects are in alphabetical order.
    pub(crate) fn is_sorted(&self) -> bool {
        self.root.is_sorted()
    }

    /// The same with the fields of all objects in alphabetical order.
    pub(crate) fn sorted(&self) -> Self {
        let mut sorted = self.clone();
        sorted.root.reorder(&str::to_owned);
        sorted
    }

    /// The same with `{}` for each `[]`; `None` if there is none. PHP loses the difference.
    pub(crate) fn with_empty_objects(&self) -> Option<Self> {
        self.replace_empty(&Node::List(Vec::new()), &Node::Object(Vec::new()))
    }

    /// The same with `[]` for each `{}`; `None` if there is none.
    pub(crate) fn with_empty_lists(&self) -> Option<Self> {
        self.replace_empty(&Node::Object(Vec::new()), &Node::List(Vec::new()))
    }

    fn replace_empty(&self, empty: &Node<'a>, other: &Node<'a>) -> Option<Self> {
        let mut replaced = self.clone();
        let changed = replaced.root.replace(empty, other);
        changed.then_some(replaced)
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
    fn reorder<K: Ord>(&mut self, rank: &impl Fn(&str) -> K) -> bool {
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

    /// Replaces each node that equals the empty one. Whether there was any.
    fn replace(&mut self, empty: &Self, other: &Self) -> bool {
        if self == empty {
            *self = other.clone();
            return true;
        }
        let mut changed = false;
        match self {
            Self::Raw(_) | Self::Text(_) => {}
            Self::List(items) => {
                for item in items {
                    changed |= item.replace(empty, other);
                }
            }
            Self::Object(fields) => {
                for (_, value) in fields {
                    changed |= value.replace(empty, other);
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
