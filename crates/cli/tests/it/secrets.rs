use crate::support::{OTHER_SECRET, Run, SECRET, command, file, receiver};

/// Runs `trigger` with this secret file, and another secret in the environment.
fn with_file(content: &str) -> Run {
    let (_folder, path) = file(content);
    let mut command = command(&[
        "trigger",
        "change",
        "--to",
        &receiver(),
        "--secret-file",
        &path,
    ]);
    Run::of(command.env("CRONOFY_CLIENT_SECRET", OTHER_SECRET))
}

#[test]
fn a_secret_file_wins_and_loses_one_final_newline() {
    for content in [
        SECRET.to_owned(),
        format!("{SECRET}\n"),
        format!("{OTHER_SECRET}\n{SECRET}\n"),
    ] {
        let run = with_file(&content);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{content:?}");
    }
    let two_newlines = with_file(&format!("{SECRET}\n\n"));
    assert_eq!(two_newlines.status, 2);
    assert!(
        two_newlines.stderr.contains("at index 1 is blank"),
        "{}",
        two_newlines.stderr
    );
}

#[test]
fn a_secret_is_read_from_standard_input() {
    let mut command = command(&[
        "trigger",
        "change",
        "--to",
        &receiver(),
        "--secret-file",
        "-",
    ]);
    command.env_remove("CRONOFY_CLIENT_SECRET");
    assert_eq!(Run::with_input(&mut command, SECRET.as_bytes()).status, 0);
}

#[test]
fn what_looks_wrong_with_a_secret_is_told() {
    for (content, what) in [
        (format!("\"{SECRET}\""), "has quotes around it"),
        (format!("{SECRET} \n"), "has white space"),
        (format!("{SECRET}\r\n"), "has white space"),
        ("changeme".to_owned(), "is a placeholder"),
    ] {
        let run = with_file(&content);
        assert_eq!(run.status, 1);
        assert!(run.stderr.starts_with("warning: probably, "));
        assert!(run.stderr.ends_with(" (client secret 1 of 1)\n"));
        assert!(run.stderr.contains(what), "{}", run.stderr);
        assert!(!run.stderr.contains("CRN_"), "{}", run.stderr);
    }
}

#[test]
fn a_missing_secret_is_a_mistake_in_usage() {
    let mut command = command(&["trigger", "change", "--to", "3000"]);
    let unset = Run::of(command.env_remove("CRONOFY_CLIENT_SECRET"));
    assert_eq!((unset.status, unset.stdout.as_str()), (2, ""));
    assert!(
        unset.stderr.contains("CRONOFY_CLIENT_SECRET is not set"),
        "{}",
        unset.stderr
    );
    assert!(unset.stderr.contains("--secret-file"), "{}", unset.stderr);
    for value in ["", " ", "CRN_x,,CRN_y"] {
        let blank = Run::of(command.env("CRONOFY_CLIENT_SECRET", value));
        assert_eq!(blank.status, 2, "{}", blank.stderr);
    }
    for content in ["", "\n", "CRN_x\n\nCRN_y"] {
        assert_eq!(with_file(content).status, 2, "{content:?}");
    }
}
