use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use crate::error::Error;

/// What `-` stands for.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads a file, or standard input if its name is `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    if is_stdin(path) {
        let mut bytes = Vec::new();
        return match io::stdin().lock().read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(Error::usage(format!("standard input: {error}"))),
        };
    }
    fs::read(path).map_err(|error| Error::usage(format!("{}: {error}", path.display())))
}
