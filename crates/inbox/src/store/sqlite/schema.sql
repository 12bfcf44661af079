-- Times are microseconds since 1970 (UTC), compared as numbers. Accounts and channels are UTF-8, stored as bytes.
CREATE TABLE cronofy_inbox (
  id               BLOB NOT NULL UNIQUE, -- of a `change`, the SHA-256 of account and channel; else random
  account          BLOB NOT NULL,
  channel          BLOB,
  -- What nobody has taken.
  waiting_body     BLOB,
  waiting_since    INTEGER,              -- `changes_since`, of a `change`
  waiting_received INTEGER,
  waiting_count    INTEGER,
  -- What a run works on.
  taken_body       BLOB,
  taken_since      INTEGER,
  taken_received   INTEGER,
  taken_count      INTEGER,
  token            INTEGER,              -- of the run that holds the row
  due              INTEGER NOT NULL,     -- when the row may be taken next
  attempts         INTEGER NOT NULL DEFAULT 0,
  parked_at        INTEGER
) STRICT;

CREATE INDEX cronofy_inbox_due ON cronofy_inbox (due) WHERE parked_at IS NULL;
CREATE UNIQUE INDEX cronofy_inbox_token ON cronofy_inbox (token) WHERE token IS NOT NULL;
CREATE INDEX cronofy_inbox_parked ON cronofy_inbox (parked_at) WHERE parked_at IS NOT NULL;
CREATE INDEX cronofy_inbox_account ON cronofy_inbox (account);

CREATE TABLE cronofy_inbox_schema (
  version         INTEGER NOT NULL,      -- of this schema
  compatible_from INTEGER NOT NULL,      -- the oldest version whose programs can use it
  last_token      INTEGER NOT NULL,      -- no token is used twice
  rows            INTEGER NOT NULL       -- in `cronofy_inbox`
) STRICT;

INSERT INTO cronofy_inbox_schema (version, compatible_from, last_token, rows) VALUES (1, 1, 0, 0);

CREATE TRIGGER cronofy_inbox_added AFTER INSERT ON cronofy_inbox BEGIN
  UPDATE cronofy_inbox_schema SET rows = rows + 1;
END;

CREATE TRIGGER cronofy_inbox_deleted AFTER DELETE ON cronofy_inbox BEGIN
  UPDATE cronofy_inbox_schema SET rows = rows - 1;
END;
