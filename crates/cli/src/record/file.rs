use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use serde::Serialize;

use super::Entry;
use super::read::{VERSION, read};
use crate::error::Error;

/// A record that is written to. It is locked until it is dropped.
pub(crate) struct RecordFile {
    file: File,
    length: u64,
    limit: u64,
}

impl RecordFile {
    /// Opens or creates the file, which only its owner can read from then on, and calls `f` with each delivery that is there.
    /// Returns how many lines are none, too. A last line that was not written to its end is ended.
    pub(crate) fn open(
        path: &Path,
        limit: u64,
        f: impl FnMut(Entry),
    ) -> Result<(Self, usize), Error> {
        let failed = |error: io::Error| Error::usage(format!("{}: {error}", path.display()));
        let mut file = options().open(path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(Error::usage(format!(
                "{}: it is not a file",
                path.display()
            )));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::usage(format!(
                    "{}: another process writes to this record",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        restrict(&file).map_err(failed)?;
        let skipped = read(BufReader::new(&file), f)?;
        let mut length = file.seek(SeekFrom::End(0)).map_err(failed)?;
        if !ends_with_newline(&mut file, length).map_err(failed)? {
            file.write_all(b"\n").map_err(failed)?;
            length += 1;
        }
        Ok((
            Self {
                file,
                length,
                limit,
            },
            skipped,
        ))
    }

    /// Appends a delivery, unless the file would grow beyond its limit.
    pub(crate) fn append(&mut self, entry: &Entry) -> io::Result<()> {
        #[derive(Serialize)]
        struct Line<'a> {
            v: u64,
            #[serde(flatten)]
            entry: &'a Entry,
        }

        let mut line = serde_json::to_vec(&Line { v: VERSION, entry })?;
        line.push(b'\n');
        let length = self.length + line.len() as u64;
        if length > self.limit {
            return Err(io::Error::other(format!(
                "it would grow beyond --record-limit, {} bytes",
                self.limit
            )));
        }
        self.file.write_all(&line)?;
        self.length = length;
        Ok(())
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Bodies hold e-mail addresses, and one kind of them credentials.
#[cfg(unix)]
fn restrict(file: &File) -> io::Result<()> {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    file.set_permissions(Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn restrict(_: &File) -> io::Result<()> {
    Ok(())
}

fn ends_with_newline(file: &mut File, length: u64) -> io::Result<bool> {
    if length == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::Start(length - 1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
