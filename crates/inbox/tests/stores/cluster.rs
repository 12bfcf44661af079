//! A PostgreSQL server of its own, in a temporary folder and on a free port of the loopback interface.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "a-password";

/// Stopped when it is dropped.
pub(crate) struct Cluster {
    directory: TempDir,
    programs: PathBuf,
    /// The server refuses to run as root.
    user: Option<(u32, u32)>,
    port: u16,
}

impl Cluster {
    /// With these lines in its configuration. An error if PostgreSQL is not installed.
    pub(crate) fn start(configuration: &str) -> Result<Self, String> {
        let programs = programs()?;
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let cluster = Self {
            programs,
            user: user(directory.path())?,
            directory,
            port: port.map_err(|error| error.to_string())?.port(),
        };
        cluster
            .initialise(configuration)
            .map_err(|error| error.to_string())?;
        cluster.control(&["start"]);
        Ok(cluster)
    }

    fn initialise(&self, configuration: &str) -> std::io::Result<()> {
        let (directory, data) = (self.directory.path(), self.data());
        let password = directory.join("password");
        fs::write(&password, PASSWORD)?;
        fs::create_dir(&data)?;
        if let Some((user, group)) = self.user {
            fs::set_permissions(directory, Permissions::from_mode(0o755))?;
            give(&data, user, group);
            give(&password, user, group);
        }
        let mut initdb = self.command("initdb");
        initdb
            .args(["--no-sync", "--username=postgres", "--auth=scram-sha-256"])
            .args(["--encoding=UTF8", "--locale=C"])
            .arg(format!("--pwfile={}", password.display()));
        run(initdb);
        let port = self.port;
        let lines = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n{configuration}"
        );
        self.configure(&lines);
        Ok(())
    }

    /// Of a user, with the password.
    pub(crate) fn url_of(&self, user: &str, password: &str) -> String {
        let port = self.port;
        format!("postgres://{user}:{password}@127.0.0.1:{port}/postgres?sslmode=disable")
    }

    pub(crate) fn url(&self) -> String {
        self.url_of("postgres", PASSWORD)
    }

    /// As after a crash.
    pub(crate) fn restart(&self) {
        self.control(&["restart", "--mode=immediate"]);
    }

    pub(crate) fn stop(&self) {
        self.control(&["stop", "--mode=immediate"]);
    }

    pub(crate) fn start_again(&self) {
        self.control(&["start"]);
    }

    /// SIGSTOP or SIGCONT, to the server and all its processes.
    pub(crate) fn signal(&self, name: &str) {
        let pid = fs::read_to_string(self.data().join("postmaster.pid")).expect("it runs");
        let pid = pid.lines().next().expect("a line for the id").to_owned();
        let children = Command::new("pgrep")
            .args(["-P", &pid])
            .output()
            .expect("pgrep runs");
        let children = String::from_utf8_lossy(&children.stdout).into_owned();
        let signal = format!("-{name}");
        for pid in children.split_whitespace().chain([pid.as_str()]) {
            // An error: that one has ended.
            drop(
                Command::new("kill")
                    .args([&signal, pid])
                    .stderr(Stdio::null())
                    .status(),
            );
        }
    }

    /// Copies a file into the folder of the server, readable by it alone.
    pub(crate) fn install(&self, file: &Path, name: &str) {
        let copy = self.data().join(name);
        fs::copy(file, &copy).expect("a file can be copied");
        fs::set_permissions(&copy, Permissions::from_mode(0o600)).expect("it is ours");
        if let Some((user, group)) = self.user {
            give(&copy, user, group);
        }
    }

    /// Adds lines to the configuration, for the next start.
    pub(crate) fn configure(&self, lines: &str) {
        let file = self.data().join("postgresql.conf");
        let configuration = fs::read_to_string(&file).expect("it is there");
        fs::write(&file, format!("{configuration}{lines}\n")).expect("it can be written to");
    }

    fn control(&self, arguments: &[&str]) {
        let mut control = self.command("pg_ctl");
        let log = self.data().join("log");
        control.arg("--wait").arg("--log").arg(log).args(arguments);
        run(control);
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command
            .env("PGDATA", self.data())
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = self.command("pg_ctl");
        stop.args(["stop", "--mode=immediate"])
            .stderr(Stdio::null());
        // An error: it was stopped.
        drop(stop.status());
    }
}

#[track_caller]
fn run(mut command: Command) {
    let status = command.status().expect("a program of PostgreSQL runs");
    assert!(status.success(), "{command:?}: {status}");
}

/// The folder of the newest PostgreSQL. Debian does not have it in `PATH`.
pub(crate) fn programs() -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut versions: Vec<_> = versions.flatten().map(|version| version.path()).collect();
    versions.sort_by_key(|version| {
        let name = version.file_name().unwrap_or_default().to_string_lossy();
        std::cmp::Reverse(name.parse::<u32>().unwrap_or(0))
    });
    folders.extend(versions.into_iter().map(|version| version.join("bin")));
    let folder = folders
        .into_iter()
        .find(|folder| folder.join("initdb").exists());
    folder.ok_or_else(|| "PostgreSQL is not installed: there is no initdb".to_owned())
}

/// Makes it a file or folder of another user.
pub(crate) fn give(path: &Path, user: u32, group: u32) {
    chown(path, Some(user), Some(group)).expect("root may");
}

/// The user and group `postgres`, if this is root, whose the folder is then.
pub(crate) fn user(directory: &Path) -> Result<Option<(u32, u32)>, String> {
    let owner = fs::metadata(directory).map_err(|error| error.to_string())?;
    if owner.uid() != 0 {
        return Ok(None);
    }
    let id = |flag| {
        let output = Command::new("id").args([flag, "postgres"]).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse().ok()
    };
    match (id("-u"), id("-g")) {
        (Some(user), Some(group)) => Ok(Some((user, group))),
        _ => Err("PostgreSQL refuses root, and there is no user `postgres`".to_owned()),
    }
}
