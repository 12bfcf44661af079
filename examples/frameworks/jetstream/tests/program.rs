use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use cronofy_webhook::Verifier;

use crate::server::Server;

const BODY: &str = r#"{
  "notification": { "type": "change", "changes_since": "2026-04-19T09:24:16Z" },
  "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42" }
}"#;

pub(crate) async fn stores_runs_and_ends_on_sigterm() {
    let server = Server::start();
    let mut program = Command::new(env!("CARGO_BIN_EXE_jetstream-example"))
        .env("CRONOFY_CLIENT_SECRET", "CRN_test")
        .env("LISTEN", "127.0.0.1:0")
        .env("NATS_URL", server.url())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let listening = lines.next().unwrap().unwrap();
    let address = listening
        .split(['/', ' '])
        .find(|part| part.starts_with("127.0.0.1:"));

    let signature = Verifier::new(["CRN_test"]).unwrap().sign(BODY.as_bytes());
    let signature = signature.to_str().unwrap();
    let length = BODY.len();
    let mut connection = TcpStream::connect(address.expect("an address")).unwrap();
    write!(
        connection,
        "POST /cronofy/42 HTTP/1.1\r\nHost: receiver.example\r\nConnection: close\r\n\
         Cronofy-HMAC-SHA256: {signature}\r\nContent-Length: {length}\r\n\r\n{BODY}"
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    let run = lines.next().unwrap().unwrap();
    assert_eq!(run, "account 42: change since 2026-04-19T09:24:16Z");

    let pid = program.id().to_string();
    let status = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    assert!(status.success());
    assert!(program.wait().unwrap().success());
}
