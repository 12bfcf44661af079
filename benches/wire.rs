//! What the layer costs over the wire: axum servers on the loopback interface that differ only in the layer, under load by `wrk`.
//!
//! ```sh
//! apt-get install wrk
//! cargo bench --bench wire
//! ```

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, ExitCode};

use cronofy_webhook::signature::HEADER;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::setup::{BODY, SECRET, router, signature};

#[expect(
    dead_code,
    reason = "some of it is only for what is driven without a socket"
)]
mod setup;

const SCRIPT: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/wire.lua");
const PERCENTILES: [u32; 4] = [50, 75, 90, 99];

struct Server {
    name: &'static str,
    address: SocketAddr,
}

/// The figures of one round of `wrk`, or the median of each over several rounds.
struct Figures {
    per_second: f64,
    /// In microseconds, one for each of `PERCENTILES`.
    latency: [f64; 4],
}

fn main() -> ExitCode {
    // Without the argument of `cargo bench` this is `cargo test --all-targets`; a filter names another bench.
    if !std::env::args().skip(1).eq(["--bench"]) {
        return ExitCode::SUCCESS;
    }
    if let Err(error) = Command::new("wrk").arg("--version").output() {
        eprintln!("wrk: {error}\nthis bench needs it: apt-get install wrk, or brew install wrk");
        return ExitCode::FAILURE;
    }
    std::fs::write(SCRIPT, script()).expect("can write below target/");

    // As `#[tokio::main]` builds it.
    let runtime = Runtime::new().expect("there is a runtime");
    // Reading a body costs a server more than verifying it, since it wakes the handler.
    let names = ["bare route", "route that reads", "from_fn by hand", "ours"];
    let servers = names.map(|name| serve(&runtime, name));
    for server in &servers {
        assert_eq!(status(server, SECRET), "204", "{}", server.name);
        if !server.name.contains("route") {
            assert_eq!(status(server, "a guess"), "401", "{}", server.name);
        }
        drive(server, 32, 1);
    }

    compare(servers.each_ref());
    let [_, reads, _, ours] = &servers;
    flatness([reads, ours]);
    ExitCode::SUCCESS
}

fn compare(servers: [&Server; 4]) {
    let (rounds, seconds, connections) = (5, 3, 32);
    let figures = interleaved(servers, connections, rounds, seconds);

    println!("{connections} connections, medians of {rounds} rounds of {seconds} s; latency in µs");
    print_row(
        "",
        "requests/s",
        &PERCENTILES.map(|percentile| format!("p{percentile}")),
    );
    for (server, figures) in servers.iter().zip(&figures) {
        let latency = figures.latency.map(|latency| format!("{latency:.0}"));
        print_row(server.name, &format!("{:.0}", figures.per_second), &latency);
    }
    let [others @ .., ours] = &figures;
    for (server, other) in servers.iter().zip(others) {
        let ratio = ours.per_second / other.per_second;
        println!("ratio of requests/s, ours / {:<18} {ratio:.3}", server.name);
    }
}

fn print_row(name: &str, per_second: &str, latency: &[String; 4]) {
    let [p50, p75, p90, p99] = latency;
    println!("{name:<18} {per_second:>10} {p50:>7} {p75:>7} {p90:>7} {p99:>7}");
}

fn flatness(servers: [&Server; 2]) {
    let (rounds, seconds) = (3, 2);
    println!("\nrequests/s by number of connections, medians of {rounds} rounds of {seconds} s");
    println!(
        "{:<18} {:>18} {:>10} {:>8}",
        "", servers[0].name, servers[1].name, "ratio"
    );
    for connections in [1, 8, 32, 128] {
        let [reads, ours] =
            interleaved(servers, connections, rounds, seconds).map(|figures| figures.per_second);
        println!(
            "{connections:<18} {reads:>18.0} {ours:>10.0} {:>8.3}",
            ours / reads
        );
    }
}

/// Rounds over all servers in turn, so that other load on the machine affects all alike.
fn interleaved<const N: usize>(
    servers: [&Server; N],
    connections: u32,
    rounds: u32,
    seconds: u32,
) -> [Figures; N] {
    let mut figures = [(); N].map(|()| Vec::new());
    for _ in 0..rounds {
        for (server, figures) in servers.iter().zip(&mut figures) {
            figures.push(drive(server, connections, seconds));
        }
    }
    figures.map(|rounds| Figures {
        per_second: median(rounds.iter().map(|round| round.per_second)),
        latency: std::array::from_fn(|at| median(rounds.iter().map(|round| round.latency[at]))),
    })
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn serve(runtime: &Runtime, name: &'static str) -> Server {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
    let listener = listener.expect("there is a free port");
    let address = listener.local_addr().expect("is bound");
    runtime.spawn(async move { axum::serve(listener, router(name)).await });
    Server { name, address }
}

/// The status of the answer to one delivery.
fn status(server: &Server, secret: &str) -> String {
    let signature = signature(secret);
    let head = format!(
        "POST /cronofy HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n{HEADER}: {}\r\n\r\n",
        server.address,
        BODY.len(),
        signature.to_str().expect("is Base64"),
    );
    let mut connection = TcpStream::connect(server.address).expect("is listening");
    connection
        .write_all(&[head.as_bytes(), BODY].concat())
        .expect("reads");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("answers");
    answer.split(' ').nth(1).expect("a status line").to_owned()
}

/// The script for `wrk`: the delivery, and how to print the figures.
fn script() -> String {
    let body = std::str::from_utf8(BODY).expect("is JSON");
    let signature = signature(SECRET);
    let signature = signature.to_str().expect("is Base64");
    format!(
        r#"
wrk.method = "POST"
wrk.body = [==[{body}]==]
wrk.headers["Content-Type"] = "application/json"
wrk.headers["{HEADER}"] = "{signature}"

function done(summary, latency)
  local e = summary.errors
  local figures = {{ e.connect + e.read + e.write + e.timeout + e.status, summary.requests / summary.duration * 1e6 }}
  for _, percentile in ipairs({{ {percentiles} }}) do
    table.insert(figures, latency:percentile(percentile))
  end
  print("figures " .. table.concat(figures, " "))
end
"#,
        percentiles = PERCENTILES
            .map(|percentile| percentile.to_string())
            .join(", "),
    )
}

fn drive(server: &Server, connections: u32, seconds: u32) -> Figures {
    let output = Command::new("wrk")
        // The servers need the other cores of a small machine.
        .args(["--threads", "1", "--script", SCRIPT])
        .args(["--connections", &connections.to_string()])
        .args(["--duration", &format!("{seconds}s")])
        .arg(format!("http://{}/cronofy", server.address))
        .output()
        .expect("wrk starts");
    let output = [output.stdout, output.stderr].concat();
    let output = String::from_utf8_lossy(&output);
    let figures = output
        .lines()
        .find_map(|line| line.strip_prefix("figures "));
    let figures = figures.unwrap_or_else(|| panic!("no figures from wrk:\n{output}"));
    let figures: Vec<f64> = figures
        .split(' ')
        .map(|figure| figure.parse().expect("is a number"))
        .collect();
    let [errors, per_second, latency @ ..] = &*figures else {
        panic!("not enough figures from wrk:\n{output}");
    };
    assert!(
        *errors == 0.0 && *per_second > 0.0,
        "{}: socket errors, or answers that are no success:\n{output}",
        server.name
    );
    Figures {
        per_second: *per_second,
        latency: latency.try_into().expect("one for each percentile"),
    }
}
