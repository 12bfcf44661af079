//! Bugs that a store like this can have, for the example `torture` to find. Compiled with `--cfg inbox_faults` alone.

use std::env;

use tokio_postgres::{Client, Error};

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
                "WHERE token = $1",
                "WHERE id = (SELECT id FROM held WHERE holder = $1)",
            )
            .replace("attempts - 1", "greatest(attempts - 1, 0)"),
        // A run names its row and the number of times it was taken, which starts anew with each row.
        Ok("token-per-row") => sql.replace(
            "WHERE token = $1",
            "WHERE token IS NOT NULL AND id = (
               SELECT id FROM held JOIN generations USING (id, generation) WHERE holder = $1
             )",
        ),
        _ => sql.to_owned(),
    }
}

/// Keeps which row each token was for, beside the table.
pub(super) async fn prepare(client: &Client) -> Result<(), Error> {
    client
        .batch_execute(
            "BEGIN;
             SELECT pg_advisory_xact_lock(1);
             CREATE TABLE IF NOT EXISTS held (holder bigint PRIMARY KEY, id bytea, generation bigint);
             CREATE TABLE IF NOT EXISTS generations (id bytea PRIMARY KEY, generation bigint);
             CREATE OR REPLACE FUNCTION taken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               IF NEW.token IS DISTINCT FROM OLD.token AND NEW.token IS NOT NULL THEN
                 INSERT INTO generations AS g VALUES (NEW.id, 1)
                   ON CONFLICT (id) DO UPDATE SET generation = g.generation + 1;
                 INSERT INTO held SELECT NEW.token, NEW.id, generation FROM generations WHERE id = NEW.id;
               END IF;
               RETURN NULL;
             END $$;
             CREATE OR REPLACE FUNCTION deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               DELETE FROM generations WHERE id = OLD.id;
               RETURN NULL;
             END $$;
             CREATE OR REPLACE TRIGGER taken AFTER UPDATE ON cronofy_inbox FOR EACH ROW EXECUTE FUNCTION taken();
             CREATE OR REPLACE TRIGGER deleted AFTER DELETE ON cronofy_inbox FOR EACH ROW EXECUTE FUNCTION deleted();
             COMMIT",
        )
        .await
}
