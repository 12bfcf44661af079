//! Chromium, driven by `WebDriver`.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Keys, as `WebDriver` names them.
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const ESCAPE: &str = "\u{e00c}";
pub(crate) const CONTROL: &str = "\u{e009}";
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const RIGHT: &str = "\u{e014}";

/// Longer than anything takes that does not fail, in milliseconds.
const PATIENCE: u32 = 20_000;

/// Why there is no browser.
pub(crate) fn missing() -> Option<String> {
    ["chromedriver", "chromium"]
        .into_iter()
        .find(|program| in_path(program).is_none())
        .map(|program| format!("there is no {program} in PATH"))
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// A window of its own. Closed when dropped.
pub(crate) struct Browser {
    runtime: Runtime,
    client: Client,
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    pub(crate) fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        let port = port.unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let capabilities = json!({
            "goog:chromeOptions": {
                "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,900"],
                "binary": in_path("chromium"),
            },
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let client = runtime.block_on(async {
            ClientBuilder::new(HttpConnector::new())
                .capabilities(capabilities.as_object().unwrap().clone())
                .connect(&format!("http://127.0.0.1:{port}"))
                .await
                .unwrap()
        });
        let session = runtime.block_on(client.session_id()).unwrap().unwrap();
        Self {
            runtime,
            client,
            driver,
            port,
            session,
        }
    }

    /// Opens a page of `listen`, and waits for its stream.
    pub(crate) fn open(&self, link: &str) {
        self.go(link);
        self.wait("return document.getElementById('facts').textContent.includes('live')");
    }

    /// Clicks a row of the list, and waits for its detail.
    pub(crate) fn select(&self, id: u64) {
        self.click(&format!("#row-{id}"));
        self.wait_for("#title", &format!("#{id}"));
    }

    pub(crate) fn go(&self, url: &str) {
        self.runtime.block_on(self.client.goto(url)).unwrap();
    }

    pub(crate) fn url(&self) -> String {
        let url = self.runtime.block_on(self.client.current_url());
        url.unwrap().to_string()
    }

    /// What the body of a function returns.
    pub(crate) fn js(&self, script: &str) -> Value {
        self.js_with(script, Vec::new())
    }

    pub(crate) fn js_with(&self, script: &str, arguments: Vec<Value>) -> Value {
        let value = self
            .runtime
            .block_on(self.client.execute(script, arguments));
        value.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// What the body of an asynchronous function returns.
    pub(crate) fn js_async(&self, script: &str) -> Value {
        let script = format!(
            "const done = arguments[0]; (async () => {{ {script} }})().then(done, (error) => done({{ error: String(error) }}))"
        );
        let value = self
            .runtime
            .block_on(self.client.execute_async(&script, Vec::new()));
        value.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits, frame by frame, until the body of a function returns something true.
    pub(crate) fn wait(&self, condition: &str) -> Value {
        let value = self.js_async(&format!(
            "const end = performance.now() + {PATIENCE};
             const condition = () => {{ {condition} }};
             for (;;) {{
               const value = condition();
               if (value) return value;
               if (performance.now() > end) return null;
               await new Promise((resolve) => requestAnimationFrame(resolve));
             }}"
        ));
        if value.is_null() || value.get("error").is_some() {
            let text = self.js("return document.body.innerText");
            panic!("{condition} {value} {}", text.as_str().unwrap_or_default());
        }
        value
    }

    /// Waits until an element has this text in it.
    pub(crate) fn wait_for(&self, selector: &str, text: &str) {
        let (selector, text) = (json!(selector), json!(text));
        self.wait(&format!(
            "return document.querySelector({selector})?.textContent.includes({text})"
        ));
    }

    /// The text of an element.
    pub(crate) fn text(&self, selector: &str) -> String {
        let script = "return document.querySelector(arguments[0])?.textContent ?? ''";
        let text = self.js_with(script, vec![json!(selector)]);
        text.as_str().unwrap().to_owned()
    }

    pub(crate) fn click(&self, selector: &str) {
        self.runtime.block_on(async {
            let element = self.client.find(Locator::Css(selector)).await.unwrap();
            element.click().await.unwrap();
        });
    }

    /// Clicks the button with this text.
    pub(crate) fn push(&self, text: &str) {
        let xpath = format!("//button[starts-with(normalize-space(.), \"{text}\")]");
        self.runtime.block_on(async {
            let element = self.client.find(Locator::XPath(&xpath)).await.unwrap();
            element.click().await.unwrap();
        });
    }

    /// Types into what has the focus.
    pub(crate) fn press(&self, keys: &str) {
        self.runtime.block_on(async {
            let element = self.client.active_element().await.unwrap();
            element.send_keys(keys).await.unwrap();
        });
    }

    /// Types into an element.
    pub(crate) fn fill(&self, selector: &str, text: &str) {
        self.runtime.block_on(async {
            let element = self.client.find(Locator::Css(selector)).await.unwrap();
            element.clear().await.unwrap();
            element.send_keys(text).await.unwrap();
        });
    }

    /// A picture of what is in sight.
    pub(crate) fn screenshot(&self) -> Vec<u8> {
        self.runtime.block_on(self.client.screenshot()).unwrap()
    }

    /// Sets the size of the window and the colour scheme.
    pub(crate) fn emulate(&self, width: u32, height: u32, scheme: &str) {
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}),
        );
        self.cdp(
            "Emulation.setEmulatedMedia",
            &json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
    }

    /// A command of Chromium's own protocol.
    pub(crate) fn cdp(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        self.driver("POST", "/goog/cdp/execute", &body.to_string())
    }

    /// What the console says since it was last asked.
    pub(crate) fn console(&self) -> Vec<String> {
        let entries = self.driver("POST", "/se/log", r#"{"type":"browser"}"#);
        let entries = entries["value"].as_array().unwrap();
        entries
            .iter()
            .map(|entry| entry["message"].to_string())
            .collect()
    }

    /// A command that the client does not know.
    fn driver(&self, method: &str, path: &str, body: &str) -> Value {
        let (port, session, length) = (self.port, &self.session, body.len());
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(
            stream,
            "{method} /session/{session}{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut stream = BufReader::new(stream);
        // The driver keeps the connection.
        let mut length = 0;
        for line in stream.by_ref().lines() {
            let line = line.unwrap().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap_or_default()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with its session, and not with the driver.
        self.driver("DELETE", "", "");
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
