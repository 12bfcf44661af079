//! Bugs that a store like this can have, for the example `torture` to find. Compiled with `--cfg inbox_faults` alone.

use std::env;

/// Names the fault.
const VARIABLE: &str = "CRONOFY_INBOX_FAULT";

/// The statement, with the fault. In its dialect of SQL: the first parameter, and the function for the greater of two.
pub(super) fn seeded(sql: &str, parameter: &str, max: &str) -> String {
    let by_token = format!("WHERE token = {parameter}");
    match env::var(VARIABLE).as_deref() {
        // What a run had taken when it died gives way to what has come in since.
        Ok("not-merged-back") => sql.replace(
            "WHEN taken_body IS NULL OR waiting_since < taken_since",
            "WHEN waiting_body IS NOT NULL",
        ),
        // A run names its row, and not itself.
        Ok("no-fencing") => sql
            .replace(
                &by_token,
                &format!("WHERE id = (SELECT id FROM held WHERE holder = {parameter})"),
            )
            .replace("attempts - 1", &format!("{max}(attempts - 1, 0)")),
        // A run names its row and the number of times it was taken, which starts anew with each row.
        Ok("token-per-row") => sql.replace(
            &by_token,
            &format!(
                "WHERE token IS NOT NULL AND id = (
                   SELECT id FROM held JOIN generations USING (id, generation) WHERE holder = {parameter}
                 )"
            ),
        ),
        _ => sql.to_owned(),
    }
}
