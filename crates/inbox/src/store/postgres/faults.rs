//! What the seeded bugs need in the database. Compiled with `--cfg inbox_faults` alone.

use tokio_postgres::{Client, Error};

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
