//! The page of `listen` in Chromium. Without Chromium or axe-core, what needs them is ignored, and fails in CI.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accessibility;
mod arrivals;
mod browser;
mod foreign;
mod hostile;
mod keyboard;
mod layout;
mod many;
mod record;
mod screenshots;
mod sending;
mod session;

#[path = "../it/support.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod support;

#[path = "../it/listen/support.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod listening;

use std::env;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial, run};

/// A test, and what it needs besides Chromium.
type Test = (&'static str, fn(), fn() -> Option<String>);

#[rustfmt::skip]
const TESTS: [Test; 25] = [
    ("accessible_in_light", accessibility::light, accessibility::missing),
    ("accessible_in_dark", accessibility::dark, accessibility::missing),
    ("a_delivery_appears_without_a_reload", arrivals::appears, nothing),
    ("what_arrives_does_not_move_what_is_read", arrivals::does_not_move, nothing),
    ("arrivals_are_summed_up_for_screen_readers", arrivals::announced, nothing),
    ("a_foreign_host_is_refused", foreign::host, nothing),
    ("a_foreign_origin_is_refused", foreign::origin, nothing),
    ("a_missing_token_is_refused", foreign::token, nothing),
    ("markup_stays_text", hostile::markup, nothing),
    ("detail_and_replay_by_keyboard_alone", keyboard::detail_and_replay, nothing),
    ("every_action_has_a_key", keyboard::actions, nothing),
    ("letters_act_outside_of_fields_and_can_be_turned_off", keyboard::letters, nothing),
    ("narrow_is_the_list_then_the_detail", layout::narrow, nothing),
    ("wide_has_three_columns", layout::wide, nothing),
    ("the_filter_is_kept_in_the_url", layout::filter, nothing),
    ("five_thousand_deliveries_stay_fast", many::fast, nothing),
    ("an_edit_is_signed_again_and_accepted", sending::edit, nothing),
    ("a_verification_is_triggered_from_the_first_steps", sending::first_steps, nothing),
    ("a_kind_is_triggered_from_the_menu", sending::menu, nothing),
    ("what_is_shown_is_replayed_and_can_be_stopped", sending::several, nothing),
    ("a_fixture_is_saved_byte_for_byte", sending::fixture, nothing),
    ("a_lost_stream_recovers", session::lost_stream, nothing),
    ("a_hidden_tab_has_no_stream", session::hidden, nothing),
    ("a_restart_asks_for_the_new_link", session::restart, nothing),
    ("a_signal_ends_it_within_a_second", session::shutdown, nothing),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each has a browser of its own.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    if let Some(folder) = env::var_os("SCREENSHOTS") {
        screenshots::take(folder.as_ref());
        return ExitCode::SUCCESS;
    }
    let trials = TESTS.into_iter().map(|(name, test, missing)| {
        Trial::ignorable_test(name, move || match browser::missing().or_else(missing) {
            Some(reason) if is_ci() => Err(Failed::from(reason)),
            Some(reason) => Ok(Completion::ignored_with(reason)),
            None => {
                test();
                Ok(Completion::Completed)
            }
        })
    });
    run(&arguments, trials.collect()).exit_code()
}

fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty())
}

fn nothing() -> Option<String> {
    None
}
