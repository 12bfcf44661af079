//! Which file it is, and the lock that keeps other processes out.

use std::fs::{self, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::{OpenError, StoreError};

/// How long to wait for a process that is being replaced.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// A database in a file or in memory.
#[derive(Clone, Debug)]
pub(super) struct File {
    name: PathBuf,
    is_in_memory: bool,
}

/// Keeps other processes out until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    // `None` in memory.
    _file: Option<fs::File>,
}

impl File {
    /// Creates the file if there is none, readable by its owner only, and locks it.
    pub(super) async fn lock(path: &Path) -> Result<(Self, Lock), OpenError> {
        let error = |error: io::Error| match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                OpenError::ReadOnly(path.to_owned())
            }
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                OpenError::DirectoryNotFound(path.to_owned())
            }
            _ => OpenError::Store(StoreError::new(error)),
        };
        create(path).map_err(error)?;
        if path.is_dir() {
            return Err(OpenError::NotADatabase(path.to_owned()));
        }
        // Two names of one file, of which one is a link, have one lock.
        let name = path.canonicalize().map_err(error)?;

        let mut lock_name = name.clone().into_os_string();
        lock_name.push(".lock");
        let lock = private().open(lock_name).map_err(error)?;
        let give_up = Instant::now() + LOCK_TIMEOUT;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(cause)) => return Err(error(cause)),
                Err(TryLockError::WouldBlock) if Instant::now() >= give_up => {
                    return Err(OpenError::InUse(path.to_owned()));
                }
                Err(TryLockError::WouldBlock) => sleep(LOCK_PAUSE).await,
            }
        }
        let file = Self {
            name,
            is_in_memory: false,
        };
        Ok((file, Lock { _file: Some(lock) }))
    }

    /// A database of its own in memory, which lasts as long as a connection to it.
    pub(super) fn in_memory() -> (Self, Lock) {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let file = Self {
            name: format!("file:/cronofy_inbox_{number}?vfs=memdb").into(),
            is_in_memory: true,
        };
        (file, Lock { _file: None })
    }

    pub(super) fn name(&self) -> &Path {
        &self.name
    }

    pub(super) fn is_in_memory(&self) -> bool {
        self.is_in_memory
    }
}

/// Creates the database if there is none.
fn create(path: &Path) -> io::Result<()> {
    // One that exists is not opened: to close it again would end all locks that this process has on it, and with them the
    // protection of an inbox that has it open.
    match private().create_new(true).open(path) {
        // A link to a file that does not exist is not followed.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !path.exists() => {
            private().open(path).map(drop)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created.map(drop),
    }
}

/// How to open or create a file that its owner alone can read. SQLite gives the files beside it the same mode.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
