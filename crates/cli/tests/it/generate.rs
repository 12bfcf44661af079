//! What packagers install beside the binary.

use crate::support::run;

#[test]
fn completions_know_the_commands_and_the_kinds() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = run(&["completions", shell]);
        assert_eq!(run.status, 0);
        for word in ["simulate", "secret-file"] {
            assert!(run.stdout.contains(word), "{shell}: {word}");
        }
    }
    // Those for fish have no values of arguments.
    for shell in ["bash", "zsh"] {
        assert!(
            run(&["completions", shell])
                .stdout
                .contains("gdpr_requested"),
            "{shell}"
        );
    }
}

#[test]
fn every_command_has_a_man_page() {
    let all = run(&["man"]).stdout;
    for command in [
        "samples",
        "trigger",
        "verify",
        "check",
        "simulate",
        "completions",
    ] {
        let title = format!("cronofy-webhook-{command}");
        assert!(all.contains(&title.replace('-', "\\-")), "{command}");
        let page = run(&["man", command]).stdout;
        assert!(page.contains(&format!(".TH {title} 1")), "{page}");
        assert!(page.contains("Example"), "{page}");
    }
    assert!(!all.contains("webhook\\-man"), "it is hidden");
}
