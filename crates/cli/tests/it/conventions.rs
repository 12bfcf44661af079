//! What holds for every command.

use std::io::pipe;
use std::process::{Command, Stdio};

use cronofy_webhook::Verifier;

use crate::support::{RECORD, Run, SECRET, answering, command, file, nobody, receiver, run};

/// Sets the clipboard, returns to the start of the line, and turns the direction of the text.
const HOSTILE: &str = "\u{1b}]52;c;aGk=\u{7}\rok\u{202e}";

/// Command lines, and the exit status of each.
fn commands() -> Vec<(Vec<String>, i32)> {
    let (delivered, refused) = (receiver(), answering(500, "no"));
    let nobody = nobody();
    let fast = &["--for", "1h", "--speed", "86400"][..];
    [
        (&["samples"][..], 0),
        (&["samples", "change"], 0),
        (&["trigger", "change", "--to", &delivered], 0),
        (&["trigger", "change", "--to", &refused], 1),
        (&["trigger", "change", "--to", &nobody], 1),
        (&["trigger", "change", "--to", "localhost/x"], 2),
        (&["verify", "--body", "Cargo.toml", "--signature", "x"], 1),
        (&["verify", "--body", "nowhere", "--signature", "x"], 2),
        (&["check", &nobody], 1),
        (&["check", &delivered, "--dry-run"], 0),
        (&["check", &delivered, "--dry-run", "--tls-only"], 0),
        (&["check", "localhost/x"], 2),
        (&["check", &nobody, "--ca", "Cargo.toml"], 2),
        (&[&["simulate", "--to", &delivered], fast].concat(), 0),
        (&[&["simulate", "--to", &nobody], fast].concat(), 1),
        (&["simulate", "--to", "localhost/x"], 2),
        (&["simulate", "--to", "http://192.0.2.1/"], 2),
        (
            &[
                "listen",
                "--port",
                "0",
                "--page",
                "0",
                "--to",
                &delivered,
                "--until",
                "1",
                "--timeout",
                "10ms",
            ],
            1,
        ),
        (&["listen", "--to", "localhost/x"], 2),
        (&["replay", RECORD, "--id", "1", "--to", &delivered], 0),
        (&["replay", RECORD, "--to", &nobody], 1),
        (&["replay", "nowhere", "--to", &delivered], 2),
        (&["completions", "bash"], 0),
        (&["man"], 0),
        (&["--help"], 0),
        (&["nonsense"], 2),
    ]
    .map(|(arguments, status)| (arguments.iter().map(ToString::to_string).collect(), status))
    .to_vec()
}

fn of(arguments: &[String]) -> Command {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    command(&arguments)
}

#[test]
fn the_exit_status_says_how_it_went() {
    for (arguments, status) in commands() {
        let run = Run::of(&mut of(&arguments));
        assert_eq!(
            run.status, status,
            "{arguments:?} {} {}",
            run.stdout, run.stderr
        );
        assert_eq!(run.stdout.is_empty(), status == 2, "{arguments:?}");
        // What takes longer than a second may say how far it is.
        let is_error = run.stderr.starts_with("error: ");
        assert_eq!(is_error, status == 2, "{arguments:?} {}", run.stderr);
    }
}

#[test]
fn a_closed_output_changes_no_exit_status() {
    for (arguments, status) in commands() {
        for json in [&[][..], &["--json"]] {
            let closed = || {
                let (reader, writer) = pipe().unwrap();
                drop(reader);
                writer
            };
            let mut command = of(&arguments);
            command.args(json).stdout(closed()).stderr(Stdio::piped());
            let run = Run::from(command.output().unwrap());
            assert_eq!(run.status, status, "{arguments:?} {}", run.stderr);
            assert!(
                !run.stderr.contains("panicked"),
                "{arguments:?} {}",
                run.stderr
            );
            command.stderr(closed());
            assert_eq!(
                command.status().unwrap().code(),
                Some(status),
                "{arguments:?}"
            );
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    for arguments in [&["samples"][..], &["samples", "--json"], &["man"]] {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let run = Run::from(
            command(arguments)
                .stdout(full)
                .stderr(Stdio::piped())
                .output()
                .unwrap(),
        );
        assert_eq!(run.status, 1);
        assert!(
            run.stderr.starts_with("error: standard output: "),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn without_a_terminal_nothing_is_coloured() {
    for (arguments, _) in commands() {
        let run = Run::of(&mut of(&arguments));
        assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'));
    }
}

/// `script` gives the command a terminal.
#[cfg(target_os = "linux")]
#[test]
fn no_color_is_kept_on_a_terminal() {
    let on_terminal = |variable: Option<&str>| {
        let mut script = Command::new("script");
        script.args([
            "-qec",
            &format!("{} --help", env!("CARGO_BIN_EXE_cronofy-webhook")),
            "/dev/null",
        ]);
        script
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null());
        Run::of(script.envs(variable.map(|variable| (variable, "1")))).stdout
    };
    assert!(on_terminal(None).contains('\u{1b}'));
    let plain = on_terminal(Some("NO_COLOR"));
    assert!(
        plain.contains("Usage:") && !plain.contains('\u{1b}'),
        "{plain}"
    );
}

fn is_harmless(text: &str) -> bool {
    !text.contains(['\u{1b}', '\u{7}', '\r', '\u{202e}'])
}

#[test]
fn hostile_text_is_escaped() {
    const ESCAPED: &str = r"\u{1b}]52;c;aGk=\u{7}\rok\u{202e}";
    let body = serde_json::json!({"notification": {"type": HOSTILE}}).to_string();
    let signature = Verifier::new([SECRET]).unwrap().sign(body.as_bytes());
    let (_folder, path) = file(&body);
    let url = answering(500, HOSTILE);
    let verify = [
        "verify",
        "--body",
        &path,
        "--signature",
        signature.to_str().unwrap(),
    ];
    let trigger = ["trigger", "--body", &path, "--to", &url];
    for (arguments, times) in [(&verify[..], 1), (&trigger, 2)] {
        let text = run(arguments);
        assert!(is_harmless(&text.stdout), "{:?}", text.stdout);
        assert_eq!(
            text.stdout.matches(ESCAPED).count(),
            times,
            "{}",
            text.stdout
        );

        let json = run(&[arguments, &["--json"]].concat());
        assert!(is_harmless(&json.stdout), "{:?}", json.stdout);
        let record = serde_json::from_str::<serde_json::Value>(json.stdout.lines().next().unwrap());
        assert_eq!(record.unwrap()["kind"], HOSTILE);
    }
}

#[test]
fn hostile_arguments_are_escaped() {
    for arguments in [
        &["verify", "--body", HOSTILE, "--signature", "x"][..],
        &["man", HOSTILE],
        &["check", HOSTILE],
        &["simulate", "--to", "3000", "--fault", HOSTILE],
        &["listen", "--to", HOSTILE],
        &[
            "listen",
            "--to",
            "3000",
            "--port",
            "0",
            "--page",
            "0",
            "--record",
            &format!("nowhere/{HOSTILE}"),
        ],
        &["replay", HOSTILE, "--to", "3000"],
        &["trigger", "change", "--to", HOSTILE],
        &["trigger", "change", "--to", "3000", "--set", HOSTILE],
        &["trigger", HOSTILE, "--to", "3000"],
        &[HOSTILE],
    ] {
        let run = run(arguments);
        assert_eq!(run.status, 2);
        assert!(is_harmless(&run.stderr), "{arguments:?} {:?}", run.stderr);
    }
}

#[test]
fn to_wins_over_the_environment() {
    let (delivered, refused) = (receiver(), answering(500, ""));
    let mut from_environment = command(&["trigger", "change"]);
    from_environment.env("CRONOFY_WEBHOOK_TO", &delivered);
    assert_eq!(Run::of(&mut from_environment).status, 0);
    let mut both = command(&["trigger", "change", "--to", &refused]);
    both.env("CRONOFY_WEBHOOK_TO", &delivered);
    assert_eq!(Run::of(&mut both).status, 1);
}

#[test]
fn a_port_and_a_path_are_a_receiver_on_this_machine() {
    let url = receiver();
    let short = url.strip_prefix("http://127.0.0.1:").unwrap();
    assert_eq!(run(&["trigger", "change", "--to", short]).status, 0);
}

#[test]
fn standard_input_is_not_read_twice() {
    for arguments in [
        &[
            "trigger",
            "--to",
            "3000",
            "--body",
            "-",
            "--secret-file",
            "-",
        ][..],
        &[
            "verify",
            "--signature",
            "x",
            "--body",
            "-",
            "--secret-file",
            "-",
        ],
        &["check", "3000", "--ca", "-", "--secret-file", "-"],
    ] {
        let run = run(arguments);
        assert_eq!(run.status, 2);
        assert!(
            run.stderr.contains("cannot both be standard input"),
            "{}",
            run.stderr
        );
    }
}
