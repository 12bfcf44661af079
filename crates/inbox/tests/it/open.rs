//! Which databases are opened, and what is said of the others.

use std::fs::{self, TryLockError};
use std::path::Path;

use cronofy_webhook_inbox::{Inbox, OpenError, SQLITE_SCHEMA};
use rusqlite::Connection;
use tempfile::{TempDir, tempdir};

use crate::common::{Jobs, change, verification};

fn file(directory: &TempDir) -> (std::path::PathBuf, String) {
    let path = directory.path().join("inbox.db");
    let url = format!("sqlite:{}", path.display());
    (path, url)
}

async fn error(url: &str) -> OpenError {
    Inbox::open(url).await.unwrap_err()
}

#[tokio::test]
async fn a_url_names_its_store() {
    for (url, message) in [
        (
            "inbox.db",
            "invalid URL of an inbox: it has no scheme, such as `sqlite:`",
        ),
        ("sqlite:", "invalid URL of an inbox: it has no path"),
        (
            "sqlite:x.db?mode=rwc",
            "invalid URL of an inbox: it has parameters, of which there are none",
        ),
        (
            "mysql://localhost/inbox",
            "no store for `mysql:` is compiled in, only for: postgres, sqlite",
        ),
        (
            "postgres://localhost/inbox?x=1",
            "invalid URL of an inbox: unknown option `x`",
        ),
        (
            "postgres://localhost/inbox?sslmode=sometimes",
            "invalid URL of an inbox: `sslmode` is none of disable, allow, prefer, require, verify-ca and verify-full",
        ),
    ] {
        assert_eq!(error(url).await.to_string(), message);
    }
    let no_root = "postgres://localhost/inbox?sslmode=verify-full&sslrootcert=/missing/root.pem";
    let text = error(no_root).await.to_string();
    assert!(
        text.contains("`sslrootcert` is /missing/root.pem: "),
        "{text}"
    );
    let directory = tempdir().unwrap();
    let (path, _) = file(&directory);
    let inbox = Inbox::open(format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    assert!(path.exists());
    inbox.close().await;
}

#[tokio::test]
async fn two_inboxes_in_memory_have_nothing_in_common() {
    let first = Inbox::in_memory().await.unwrap();
    let second = Inbox::open("sqlite::memory:").await.unwrap();
    first.put("42", &verification()).await.unwrap();
    assert_eq!(second.stats().await.unwrap().waiting, 0);
}

#[tokio::test]
async fn a_file_that_is_not_a_database_is_left_alone() {
    let directory = tempdir().unwrap();
    let (path, url) = file(&directory);
    let content = "not a database ".repeat(1_000);
    fs::write(&path, &content).unwrap();
    let error = error(&url).await;
    assert!(matches!(error, OpenError::NotADatabase(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "{} is not a SQLite database",
            path.canonicalize().unwrap().display()
        )
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), content);
}

#[tokio::test]
async fn a_directory_is_not_created() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("missing").join("inbox.db");
    let error = error(&format!("sqlite:{}", path.display())).await;
    assert!(
        matches!(error, OpenError::DirectoryNotFound(_)),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        format!(
            "{} cannot be created: its directory does not exist",
            path.display()
        )
    );
}

#[tokio::test]
async fn a_directory_is_not_a_database() {
    let directory = tempdir().unwrap();
    let error = error(&format!("sqlite:{}", directory.path().display())).await;
    assert!(matches!(error, OpenError::NotADatabase(_)), "{error:?}");
}

#[tokio::test]
async fn a_schema_that_a_later_release_made_incompatible_is_refused() {
    let directory = tempdir().unwrap();
    let (path, url) = file(&directory);
    Inbox::open(&url).await.unwrap().close().await;
    let set = |version: i64, compatible_from: i64| {
        let connection = Connection::open(&path).unwrap();
        let sql = "UPDATE cronofy_inbox_schema SET version = ?1, compatible_from = ?2";
        connection.execute(sql, [version, compatible_from]).unwrap();
    };
    set(3, 2);
    let error = error(&url).await;
    assert!(
        matches!(error, OpenError::NewerVersion { version: 3 }),
        "{error:?}"
    );
    set(3, 1);
    Inbox::open(&url).await.unwrap();
}

#[tokio::test]
async fn without_migration_the_schema_must_be_there() {
    let directory = tempdir().unwrap();
    let (path, url) = file(&directory);
    let error = Inbox::open(&url).migrate(false).await.unwrap_err();
    assert!(matches!(error, OpenError::NotMigrated), "{error:?}");
    Connection::open(&path)
        .unwrap()
        .execute_batch(SQLITE_SCHEMA)
        .unwrap();
    let inbox = Inbox::open(&url).migrate(false).await.unwrap();
    inbox.put("42", &verification()).await.unwrap();
}

#[tokio::test]
async fn another_table_in_the_file_is_left_alone() {
    let directory = tempdir().unwrap();
    let (path, url) = file(&directory);
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE mine (a); INSERT INTO mine VALUES (1)")
        .unwrap();
    let inbox = Inbox::open(&url).await.unwrap();
    inbox.put("42", &verification()).await.unwrap();
    let mine: i64 = other
        .query_row("SELECT a FROM mine", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mine, 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_is_for_one_inbox_at_a_time() {
    let directory = tempdir().unwrap();
    let (path, url) = file(&directory);
    let first = Inbox::open(&url).await.unwrap();
    let started = tokio::time::Instant::now();
    let error = error(&url).await;
    assert!(matches!(error, OpenError::InUse(_)), "{error:?}");
    assert_eq!(started.elapsed().as_secs(), 10);
    #[cfg(unix)]
    {
        let link = directory.path().join("link.db");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let error = self::error(&format!("sqlite:{}", link.display())).await;
        assert!(matches!(error, OpenError::InUse(_)), "{error:?}");
    }
    drop(path);
    first.close().await;
    Inbox::open(&url).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_a_file_that_does_not_exist_creates_it() {
    let directory = tempdir().unwrap();
    let (path, _) = file(&directory);
    let link = directory.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let url = format!("sqlite:{}", link.display());
    let inbox = Inbox::open(url).await.unwrap();
    inbox.put("42", &verification()).await.unwrap();
    assert!(path.exists());
}

/// A process that closes a file ends all POSIX locks that it has on it.
#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn an_inbox_that_is_refused_leaves_the_locks_of_the_other_one() {
    use std::os::unix::fs::MetadataExt as _;

    let directory = tempdir().unwrap();
    let (path, url) = file(&directory);
    let inbox = Inbox::open(&url).await.unwrap();
    inbox.put("42", &verification()).await.unwrap();
    let file = fs::metadata(&path).unwrap().ino();
    let locks = || {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        let ours = locks
            .lines()
            .filter(|lock| lock.contains("POSIX") && lock.contains(&format!(":{file} ")));
        ours.count()
    };
    assert_eq!(locks(), 1);
    let error = error(&url).await;
    assert!(matches!(error, OpenError::InUse(_)), "{error:?}");
    assert_eq!(locks(), 1);
}

#[tokio::test]
async fn an_open_that_is_given_up_keeps_the_lock_until_it_has_ended() {
    let directory = tempdir().unwrap();
    let (path, url) = file(&directory);
    Inbox::open(&url).await.unwrap().close().await;
    let blocked = Connection::open(&path).unwrap();
    blocked.execute_batch("BEGIN IMMEDIATE").unwrap();
    let opening = tokio::time::timeout(std::time::Duration::ZERO, Inbox::open(&url));
    assert!(opening.await.is_err());
    let lock = fs::File::open(directory.path().join("inbox.db.lock")).unwrap();
    assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    drop(blocked);
    Inbox::open(&url).await.unwrap();
}

/// As a new release waits for the old one.
#[tokio::test(start_paused = true)]
async fn open_waits_for_the_inbox_that_is_being_closed() {
    let directory = tempdir().unwrap();
    let (_, url) = file(&directory);
    let first = Inbox::open(&url).await.unwrap();
    first.put("42", &change("chn_1", 1)).await.unwrap();
    let (second, ()) = tokio::join!(async { Inbox::open(&url).await.unwrap() }, async {
        tokio::time::sleep(std::time::Duration::from_secs(9)).await;
        first.close().await;
    });
    let jobs = Jobs::default();
    second.worker(jobs.noting()).run_until_idle().await.unwrap();
    assert_eq!(jobs.len(), 1);
}

#[tokio::test]
async fn a_dropped_inbox_is_closed() {
    let directory = tempdir().unwrap();
    let (_, url) = file(&directory);
    for _ in 0..3 {
        let inbox = Inbox::open(&url).await.unwrap();
        inbox.put("42", &verification()).await.unwrap();
    }
}

#[tokio::test]
async fn a_file_can_be_opened_with_and_without_loss_allowed() {
    let directory = tempdir().unwrap();
    let (path, url) = file(&directory);
    let inbox = Inbox::open(&url).allow_loss().await.unwrap();
    inbox.put("42", &verification()).await.unwrap();
    inbox.close().await;
    let inbox = Inbox::open(&url).await.unwrap();
    inbox.put("42", &verification()).await.unwrap();
    assert_eq!(inbox.stats().await.unwrap().waiting, 2);
    let mode: String = Connection::open(&path)
        .unwrap()
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempdir().unwrap();
    let (path, url) = file(&directory);
    let inbox = Inbox::open(&url).await.unwrap();
    inbox.put("42", &verification()).await.unwrap();
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let name = format!("{}{suffix}", path.display());
        let mode = fs::metadata(Path::new(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

/// A backup with `sqlite3 .backup`, while the inbox is in use.
#[tokio::test]
async fn a_backup_can_be_made_while_the_inbox_is_open() {
    let directory = tempdir().unwrap();
    let (path, url) = file(&directory);
    let inbox = Inbox::open(&url).await.unwrap();
    inbox.put("42", &change("chn_1", 1)).await.unwrap();
    let copy = directory.path().join("copy.db");
    let sql = format!("VACUUM INTO '{}'", copy.display());
    Connection::open(&path)
        .unwrap()
        .execute_batch(&sql)
        .unwrap();
    let restored = Inbox::open(format!("sqlite:{}", copy.display()))
        .await
        .unwrap();
    assert_eq!(restored.stats().await.unwrap().waiting, 1);
}
