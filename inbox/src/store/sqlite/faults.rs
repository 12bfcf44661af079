//! Bugs that a store like this can have, for the example `torture` to find. Compiled with `--cfg inbox_faults` alone.

use std::env;

use rusqlite::{Connection, Result};

/// Names the fault.
const VARIABLE: &str = "CRONOFY_INBOX_FAULT";

/// The statement, with the fault.
pub(super) fn seeded(sql: &str) -> String {
    match env::var(VARIABLE).as_deref() {
        // What a run had taken when it died gives way to what has come in since.
        Ok("not-merged-back") => sql.replace(
            "WHEN taken_body IS NULL OR waiting_since < taken_since",
            "WHEN waiting_body IS NOT NULL",
        ),
        // A run names its row, and not itself.
        Ok("no-fencing") => sql
            .replace(
                "WHERE token = ?1",
                "WHERE id = (SELECT id FROM held WHERE holder = ?1)",
            )
            .replace("attempts - 1", "max(attempts - 1, 0)"),
        // A run names its row and the number of times it was taken, which starts anew with each row.
        Ok("token-per-row") => sql.replace(
            "WHERE token = ?1",
            "WHERE token IS NOT NULL AND id = (
               SELECT id FROM held JOIN generations USING (id, generation) WHERE holder = ?1
             )",
        ),
        _ => sql.to_owned(),
    }
}

/// Keeps which row each token was for, beside the table.
pub(super) fn prepare(connection: &Connection) -> Result<()> {
    connection.execute_batch(
        "CREATE TEMP TABLE held (holder INTEGER PRIMARY KEY, id BLOB, generation INTEGER);
         CREATE TEMP TABLE generations (id BLOB PRIMARY KEY, generation INTEGER);
         CREATE TEMP TRIGGER taken AFTER UPDATE OF token ON main.cronofy_inbox WHEN NEW.token IS NOT NULL BEGIN
           INSERT INTO generations VALUES (NEW.id, 1) ON CONFLICT (id) DO UPDATE SET generation = generation + 1;
           INSERT INTO held SELECT NEW.token, NEW.id, generation FROM generations WHERE id = NEW.id;
         END;
         CREATE TEMP TRIGGER deleted AFTER DELETE ON main.cronofy_inbox BEGIN
           DELETE FROM generations WHERE id = OLD.id;
         END;",
    )
}
