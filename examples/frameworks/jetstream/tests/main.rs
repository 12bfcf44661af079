//! They start NATS servers of their own, with Debian's package `nats-server`. Where it is not installed, they are ignored,
//! with the reason, and fail where `CI` is set.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod consumer;
mod program;
mod receiver;
mod server;
mod support;

use std::env;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

macro_rules! trials {
    ($reason:expr; $($module:ident::$name:ident,)*) => {
        vec![$(trial(
            concat!(stringify!($module), "::", stringify!($name)),
            || support::block_on($module::$name()),
            $reason,
        )),*]
    };
}

fn main() -> ExitCode {
    let reason = server::program().err();
    let trials = trials![
        &reason;
        consumer::a_failed_run_is_run_again_later,
        consumer::a_long_run_is_not_delivered_again,
        consumer::a_message_that_is_no_job_keeps_no_other_from_running,
        consumer::a_run_that_was_dropped_is_run_again,
        consumer::accepted_declined_and_accepted_are_three_runs,
        consumer::an_account_or_a_channel_is_any_text,
        consumer::changes_during_a_run_lead_to_one_more_from_the_earliest,
        consumer::channels_run_at_the_same_time,
        consumer::every_sample_comes_out_as_it_was,
        consumer::it_goes_on_after_the_server_was_restarted,
        program::stores_runs_and_ends_on_sigterm,
        receiver::a_full_stream_is_a_503,
        receiver::a_server_that_is_away_is_a_503_within_the_time_limit,
        receiver::an_acknowledged_notification_survives_a_killed_server,
        receiver::what_is_not_authentic_is_not_stored,
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// `reason`: why it cannot run. In CI, it has to.
fn trial(name: &str, test: fn(), reason: &Option<String>) -> Trial {
    let reason = reason.clone();
    Trial::ignorable_test(name, move || match reason {
        None => {
            test();
            Ok(Completion::Completed)
        }
        Some(reason) if env::var_os("CI").is_some() => Err(Failed::from(reason)),
        Some(reason) => Ok(Completion::ignored_with(reason)),
    })
}
