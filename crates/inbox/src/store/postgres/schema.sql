-- Accounts and channels are UTF-8, stored as bytes.
CREATE TABLE cronofy_inbox (
  id               bytea PRIMARY KEY,    -- of a `change`, the SHA-256 of account and channel; else random
  account          bytea NOT NULL,
  channel          bytea,
  -- What nobody has taken.
  waiting_body     bytea,
  waiting_since    bigint,               -- `changes_since`, of a `change`, in microseconds since 1970 (UTC)
  waiting_received timestamptz,
  waiting_count    bigint,
  -- What a run works on.
  taken_body       bytea,
  taken_since      bigint,
  taken_received   timestamptz,
  taken_count      bigint,
  token            bigint,               -- random, of the run that holds the row
  due              timestamptz NOT NULL, -- when the row may be taken next
  attempts         integer NOT NULL DEFAULT 0,
  parked_at        timestamptz
) WITH (
  -- Rows are updated often: room for that in each page, and dead rows are removed early.
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000
);

CREATE INDEX cronofy_inbox_due ON cronofy_inbox (due) WHERE parked_at IS NULL;
CREATE UNIQUE INDEX cronofy_inbox_token ON cronofy_inbox (token) WHERE token IS NOT NULL;
CREATE INDEX cronofy_inbox_parked ON cronofy_inbox (parked_at) WHERE parked_at IS NOT NULL;
-- An account can be longer than what an index holds.
CREATE INDEX cronofy_inbox_account ON cronofy_inbox (sha256(account));

CREATE TABLE cronofy_inbox_schema (
  version         bigint NOT NULL,       -- of this schema
  compatible_from bigint NOT NULL        -- the oldest version whose programs can use it
);

INSERT INTO cronofy_inbox_schema (version, compatible_from) VALUES (1, 1);
