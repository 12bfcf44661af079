//! A file of deliveries, one a line.

mod base64;
mod entry;
mod file;
mod headers;
mod read;

pub(crate) use self::entry::{Answer, AnsweredBy, Entry, FromPage, Verdict};
pub(crate) use self::file::RecordFile;
pub(crate) use self::headers::Headers;
pub(crate) use self::read::read;
