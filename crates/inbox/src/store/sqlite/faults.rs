//! What the seeded bugs need in the database. Compiled with `--cfg inbox_faults` alone.

use rusqlite::{Connection, Result};

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
