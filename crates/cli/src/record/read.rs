use std::io::BufRead;

use serde::Deserialize;

use super::Entry;
use crate::error::Error;

/// The version that is written, and the only one that is read.
pub(super) const VERSION: u64 = 1;

/// Calls `f` with each delivery. Returns how many lines were skipped, as they are none.
///
/// A version that this program does not know is an error: what is skipped would look as if it had not come.
pub(crate) fn read(mut record: impl BufRead, mut f: impl FnMut(Entry)) -> Result<usize, Error> {
    #[derive(Deserialize)]
    struct Version {
        v: u64,
    }

    let mut skipped = 0;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let length = record.read_until(b'\n', &mut line);
        if length.map_err(|error| Error::failed(format!("the record: {error}")))? == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(&line) {
            Ok(Version { v: VERSION }) => match serde_json::from_slice(&line) {
                Ok(entry) => f(entry),
                Err(_) => skipped += 1,
            },
            Ok(Version { v }) => {
                return Err(Error::usage(format!(
                    "the record has version {v} in line {number}, and this program knows version {VERSION}: use a newer one"
                )));
            }
            Err(_) => skipped += 1,
        }
    }
    Ok(skipped)
}
