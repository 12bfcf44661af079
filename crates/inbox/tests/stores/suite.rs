//! Which tests there are. One that is missing here is dead code.

use libtest_mimic::{Completion, Failed, Trial};

use crate::database::Database;
#[cfg(unix)]
use crate::pgbouncer::Pooled;
use crate::public_api::Place;
#[cfg(unix)]
use crate::server::Database as ServerDatabase;
use crate::{comparison, operation, public_api, rules, sqlite};
#[cfg(unix)]
use crate::{inbox, listening, outages, pooler, postgres, processes, requests, tls, upkeep};

pub(crate) type Tests = Vec<(&'static str, fn())>;

macro_rules! tests {
    ($($module:ident::$name:ident $(::<$database:ident>)?,)*) => {
        vec![$((
            concat!(stringify!($module), "::", stringify!($name)),
            $module::$name$(::<$database>)? as fn(),
        )),*]
    };
}

/// `reason`: why it cannot run. In CI, it has to.
pub(crate) fn trial(store: &str, name: &str, test: fn(), reason: &Option<String>) -> Trial {
    let reason = reason.clone();
    Trial::ignorable_test(format!("{store}::{name}"), move || match reason {
        None => {
            test();
            Ok(Completion::Completed)
        }
        Some(reason) if std::env::var_os("CI").is_some_and(|value| !value.is_empty()) => {
            Err(Failed::from(reason))
        }
        Some(reason) => Ok(Completion::ignored_with(reason)),
    })
}

/// Both stores have these.
pub(crate) fn shared<D: Database>() -> Tests {
    tests![
        comparison::does_what_the_model_does::<D>,
        operation::a_change_or_unpark_puts_a_parked_row_back_in_line::<D>,
        operation::a_job_that_had_its_attempts_is_parked_instead_of_taken::<D>,
        operation::forget_deletes_what_waits_is_taken_or_parked::<D>,
        operation::max_rows_refuses_a_new_row_but_not_a_change_that_merges::<D>,
        operation::stats_count_each_row_once::<D>,
        rules::a_change_during_a_run_waits_for_another_run::<D>,
        rules::a_failed_job_waits_for_its_backoff_and_a_change_does_not_shorten_it::<D>,
        rules::a_new_row_is_due_at_once::<D>,
        rules::a_released_job_is_due_at_once_and_the_attempt_does_not_count::<D>,
        rules::a_row_is_held_until_the_end_of_its_lease::<D>,
        rules::a_row_that_a_wrong_clock_made_due_is_due_at_once::<D>,
        rules::a_stale_token_has_no_effect::<D>,
        rules::an_empty_body_is_a_body::<D>,
        rules::an_ended_run_cannot_renew_its_lease::<D>,
        rules::done_puts_a_row_at_the_back_of_the_line::<D>,
        rules::each_due_row_is_taken_within_as_many_takes_as_there_are_rows::<D>,
        rules::leases_and_backoffs_are_an_hour_at_most::<D>,
        rules::other_kinds_are_never_merged::<D>,
        rules::the_earliest_change_is_kept_and_of_equal_ones_the_first::<D>,
        rules::times_before_1970_and_the_largest_are_compared_as_numbers::<D>,
        rules::what_a_dead_run_had_taken_is_merged_back::<D>,
    ]
}

/// Both stores have these, through the public API.
pub(crate) fn public<P: Place>() -> Tests {
    tests![
        public_api::what_was_put_outlives_the_process::<P>,
        public_api::every_sample_comes_out_as_it_was::<P>,
        public_api::an_account_is_any_text::<P>,
        public_api::a_malformed_change_is_not_merged::<P>,
        public_api::max_rows_is_full_until_a_job_is_done::<P>,
        public_api::clones_of_a_closed_inbox_are_closed::<P>,
        public_api::close_writes_what_waits::<P>,
        public_api::gauges_are_set_once_the_inbox_is_open::<P>,
    ]
}

pub(crate) fn sqlite_only() -> Tests {
    tests![
        sqlite::after_a_crash_what_was_taken_is_due_at_once,
        sqlite::each_statement_uses_an_index,
    ]
}

#[cfg(unix)]
pub(crate) fn with_server() -> Tests {
    tests![
        inbox::processes_that_open_at_once_create_the_schema_once::<ServerDatabase>,
        inbox::a_pool_without_a_free_connection_is_named,
        inbox::a_user_who_may_not_create_tables_needs_the_schema,
        inbox::a_token_of_another_copy_of_the_database_has_no_effect,
        inbox::a_database_that_does_not_exist_is_named,
        inbox::an_isolation_level_under_which_puts_fail_is_refused,
        inbox::a_schema_that_a_later_release_made_incompatible_is_refused,
        inbox::a_batch_with_one_id_many_times_is_merged_as_one_by_one,
        inbox::receivers_with_unsorted_batches_do_not_deadlock,
        inbox::a_put_that_timed_out_closes_its_connection_and_cancels_nothing,
        inbox::a_full_queue_refuses_at_once_and_loses_nothing_that_it_took,
        inbox::a_pool_of_the_application_is_used_and_left_open,
        inbox::a_dropped_or_closed_inbox_leaves_no_connection,
        inbox::after_the_grace_jobs_are_released_and_the_attempt_does_not_count,
        inbox::a_job_that_was_taken_too_late_for_its_lease_does_not_begin,
        inbox::a_row_that_is_being_put_to_is_taken_soon_after,
        listening::a_put_wakes_a_worker_of_another_process,
        listening::others_are_told_once_in_50_ms_and_only_of_a_row_that_became_due,
        postgres::a_run_outlives_another_process,
        postgres::each_statement_uses_an_index,
        processes::two_receivers_and_three_workers_share_the_jobs,
        requests::a_connection_has_one_request_under_way,
        tls::a_server_without_tls_is_refused_where_it_is_required,
        upkeep::a_transaction_that_keeps_dead_rows_is_seen,
        upkeep::a_vacuum_is_not_seen,
        upkeep::the_age_is_that_of_the_oldest_transaction,
        upkeep::a_worker_warns_of_a_transaction_that_is_older_than_5_minutes,
        upkeep::a_job_that_a_wrong_clock_made_due_late_runs_at_once,
    ]
}

/// Those that stop a server, or configure it.
#[cfg(unix)]
pub(crate) fn with_own_server() -> Tests {
    tests![
        outages::a_server_that_is_away_refuses_until_it_is_back,
        outages::a_server_that_was_restarted_has_what_was_acknowledged,
        outages::a_server_that_does_not_answer_is_given_up_in_time,
        outages::a_server_without_a_connection_left_says_what_to_raise,
        outages::a_wrong_password_is_named_and_not_shown,
        outages::a_server_that_is_not_durable_is_refused_unless_loss_is_allowed,
        outages::a_connection_to_a_server_that_became_read_only_is_dropped,
        tls::sslmode_says_what_is_checked,
        upkeep::a_prepared_transaction_is_seen,
    ]
}

#[cfg(unix)]
pub(crate) fn with_pooler() -> Tests {
    tests![
        listening::a_put_wakes_a_worker_behind_a_pooler_in_session_mode,
        listening::a_worker_does_not_listen_behind_a_pooler_in_transaction_mode,
        inbox::processes_that_open_at_once_create_the_schema_once::<Pooled>,
        pooler::every_operation_works,
        pooler::the_lease_of_a_run_is_renewed,
        pooler::two_inboxes_share_the_jobs,
        pooler::a_job_of_another_process_runs_within_two_seconds,
        pooler::a_parameter_that_the_pooler_refuses_is_named,
        pooler::in_statement_mode_everything_works_once_there_is_a_schema,
    ]
}

#[cfg(unix)]
pub(crate) fn with_own_server_and_pooler() -> Tests {
    tests![pooler::a_server_that_was_restarted_has_what_was_acknowledged,]
}
