//! A PgBouncer in front of a server, on a free port of the loopback interface.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, SimpleQueryMessage};

use crate::cluster;
use crate::public_api::Place;
use crate::server::{Database, connect};
use crate::support::eventually;

/// How many connections to the server the clients of a database share.
const POOL_SIZE: usize = 2;

/// Killed when it is dropped.
pub(crate) struct PgBouncer {
    child: Child,
    // Deleted when it is dropped.
    _directory: TempDir,
    port: u16,
}

impl PgBouncer {
    /// In front of the server of this URL, in this pool mode, with these lines in its configuration.
    pub(crate) async fn start(url: &str, mode: &str, configuration: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.unwrap().port();
        let server: Config = url.parse().unwrap();
        let (host, server_port) = host_and_port(&server);
        let user = server.get_user().unwrap();
        let password = String::from_utf8_lossy(server.get_password().unwrap_or_default());

        let users = directory.path().join("users");
        fs::write(&users, format!("\"{user}\" \"{password}\"\n")).unwrap();
        let file = directory.path().join("pgbouncer.ini");
        // It tries again at once to reach a server that was away, and not after its 15 seconds.
        let lines = format!(
            "[databases]\n* = host={host} port={server_port}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = scram-sha-256\nauth_file = {}\nserver_tls_sslmode = prefer\n\
             pool_mode = {mode}\ndefault_pool_size = {POOL_SIZE}\nserver_login_retry = 1\n{configuration}\n",
            users.display()
        );
        fs::write(&file, lines).unwrap();

        let mut command = Command::new(program().unwrap());
        command
            .args(["-q".as_ref(), file.as_os_str()])
            .stderr(Stdio::null());
        if let Some((user, group)) = cluster::user(directory.path()).unwrap() {
            cluster::give(directory.path(), user, group);
            cluster::give(&users, user, group);
            cluster::give(&file, user, group);
            command.uid(user).gid(group);
        }
        let mut pooler = Self {
            child: command.spawn().unwrap(),
            _directory: directory,
            port,
        };
        eventually(async || {
            assert_eq!(pooler.child.try_wait().unwrap(), None, "it has ended");
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .await;
        pooler
    }

    /// The URL of a server, through this.
    pub(crate) fn url(&self, url: &str) -> String {
        through(url, self.port)
    }
}

/// The URL of a server, through a port of the loopback interface.
pub(crate) fn through(url: &str, port: u16) -> String {
    let (user, rest) = url.split_once('@').unwrap();
    let (_, database) = rest.split_once('/').unwrap();
    let (database, _) = database.split_once('?').unwrap_or((database, ""));
    format!("{user}@127.0.0.1:{port}/{database}?sslmode=disable")
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // An error: it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A database, behind a pooler.
pub(crate) struct Pooled {
    pub(crate) database: Database,
    // Killed when it is dropped.
    _pooler: PgBouncer,
    pub(crate) url: String,
}

impl Pooled {
    pub(crate) async fn start(mode: &str, configuration: &str) -> Self {
        let database = Database::create().await;
        let pooler = PgBouncer::start(&database.url, mode, configuration).await;
        Self {
            url: pooler.url(&database.url),
            database,
            _pooler: pooler,
        }
    }
}

impl Place for Pooled {
    async fn create() -> Self {
        Self::start("transaction", "").await
    }

    fn url(&self) -> String {
        self.url.clone()
    }
}

/// The first column of the rows, from each of the connections to the server.
pub(crate) async fn on_each_connection(url: &str, sql: &str) -> Vec<String> {
    let mut clients: Vec<Client> = Vec::new();
    let mut values = Vec::new();
    while clients.len() < POOL_SIZE {
        let client = connect(url).await;
        // Keeps its connection to the server.
        client.batch_execute("BEGIN").await.unwrap();
        for message in client.simple_query(sql).await.unwrap() {
            if let SimpleQueryMessage::Row(row) = message {
                values.push(row.get(0).unwrap().to_owned());
            }
        }
        clients.push(client);
    }
    values
}

/// Of the only server.
pub(crate) fn host_and_port(config: &Config) -> (&str, u16) {
    let [Host::Tcp(host)] = config.get_hosts() else {
        panic!("{config:?} is not one host");
    };
    (host, config.get_ports().first().copied().unwrap_or(5_432))
}

/// Debian has it in a folder that only the `PATH` of root has.
pub(crate) fn program() -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    let mut programs = folders.into_iter().map(|folder| folder.join("pgbouncer"));
    programs
        .find(|program| program.exists())
        .ok_or_else(|| "PgBouncer is not installed: there is no pgbouncer".to_owned())
}
