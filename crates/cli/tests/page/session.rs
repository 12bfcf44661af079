//! The connection of the page to `listen`.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::browser::Browser;
use crate::listening::Listening;
use crate::record::change;
use crate::support::{command, recorder};

/// Connections that can be cut, between the browser and the page.
struct Wire {
    url: String,
    connections: Arc<Mutex<Option<Vec<TcpStream>>>>,
    /// What the browser has sent on each connection that it has closed.
    ended: Receiver<String>,
}

impl Wire {
    fn to(page: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().to_string();
        let connections = Arc::new(Mutex::new(Some(Vec::new())));
        let all = Arc::clone(&connections);
        let (host, page) = (own.clone(), page.to_owned());
        let (sender, ended) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut all = all.lock().unwrap();
                let Some(all) = &mut *all else { continue };
                let upstream = TcpStream::connect(&page).unwrap();
                all.extend([stream.try_clone().unwrap(), upstream.try_clone().unwrap()]);
                let (to, from) = (upstream.try_clone().unwrap(), stream.try_clone().unwrap());
                let (host, page, sender) = (host.clone(), page.clone(), sender.clone());
                thread::spawn(move || {
                    let _ = sender.send(copy(stream, to, &host, &page));
                });
                thread::spawn(move || copy(upstream, from, "", ""));
            }
        });
        Self {
            url: format!("http://{own}"),
            connections,
            ended,
        }
    }

    fn wait_for_end_of(&self, request: &str) {
        let ended = || self.ended.recv_timeout(Duration::from_secs(20)).unwrap();
        while !ended().contains(request) {}
    }

    /// Closes all connections, and new ones at once.
    fn cut(&self) {
        for connection in self.connections.lock().unwrap().take().unwrap() {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    fn mend(&self) {
        *self.connections.lock().unwrap() = Some(Vec::new());
    }
}

/// Copies what comes, with one text in the place of another. Returns all of it if it is changed.
fn copy(mut from: TcpStream, mut to: TcpStream, host: &str, page: &str) -> String {
    let mut buffer = [0; 65536];
    let mut all = String::new();
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let mut bytes = buffer[..length].to_vec();
        if !host.is_empty() {
            let text = String::from_utf8(bytes).unwrap();
            all += &text;
            bytes = text.replace(host, page).into_bytes();
        }
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    all
}

pub(crate) fn lost_stream() {
    let listening = Listening::start(&recorder(204).0, &[]);
    let link = listening.link();
    let (page, token) = link.split_once("/#t=").unwrap();
    let wire = Wire::to(page.strip_prefix("http://").unwrap());
    let browser = Browser::start();
    browser.open(&format!("{}/#t={token}", wire.url));
    listening.post("/", &change("chn_1"));
    browser.wait_for(".row", "chn_1");
    browser.select(1);
    wire.cut();
    browser.wait_for("#facts", "lost");
    browser.wait_for("#live", "The connection to listen is lost");
    listening.post("/", &change("chn_2"));
    wire.mend();
    browser.wait_for("#facts", "live");
    browser.wait_for("#row-2", "chn_2");
    listening.post("/", &change("chn_3"));
    browser.wait_for("#row-3", "chn_3");
    assert_eq!(browser.text("#title"), "change#1");
}

pub(crate) fn hidden() {
    let listening = Listening::start(&recorder(204).0, &[]);
    let link = listening.link();
    let (page, token) = link.split_once("/#t=").unwrap();
    let wire = Wire::to(page.strip_prefix("http://").unwrap());
    let browser = Browser::start();
    browser.open(&format!("{}/#t={token}", wire.url));
    let hide = |is_hidden: bool| {
        browser.js(&format!(
            "Object.defineProperty(document, 'hidden', {{ value: {is_hidden}, configurable: true }});
             document.dispatchEvent(new Event('visibilitychange'))"
        ));
    };
    hide(true);
    // The browser closes the connection of a stream that nobody reads.
    wire.wait_for_end_of("GET /api/stream");
    listening.post("/", &change("chn_1"));
    assert!(
        browser
            .js("return document.querySelector('.row')")
            .is_null()
    );
    hide(false);
    browser.wait_for(".row", "chn_1");
    listening.post("/", &change("chn_2"));
    browser.wait_for("#row-2", "chn_2");
}

pub(crate) fn restart() {
    let (to, _) = recorder(204);
    let listening = Listening::start(&to, &[]);
    let old = listening.link();
    let browser = Browser::start();
    browser.open(&old);
    let port = listening.first["page"]
        .as_str()
        .unwrap()
        .rsplit_once(':')
        .unwrap()
        .1
        .to_owned();
    listening.stop();
    browser.wait_for("#facts", "lost");
    let arguments = [
        "listen", "--port", "0", "--page", &port, "--json", "--to", &to,
    ];
    let listening = Listening::spawn(&mut command(&arguments));
    browser.wait_for(
        "[role=alert]",
        "listen was restarted: open the link it printed",
    );
    browser.open(&listening.link());
    listening.post("/", &change("chn_1"));
    browser.wait_for(".row", "chn_1");
    assert!(
        browser
            .js("return document.querySelector('[role=alert]')")
            .is_null()
    );
}

pub(crate) fn shutdown() {
    let listening = Listening::start(&recorder(204).0, &[]);
    let browser = Browser::start();
    browser.open(&listening.link());
    let started = Instant::now();
    let run = listening.stop();
    let took = started.elapsed();
    println!("ended after {took:?}");
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(took < Duration::from_secs(1), "{took:?}");
    browser.wait_for("#facts", "lost");
}
