-- When each record came, in microseconds since 1970: auditors read them in that order. A
-- program of before does not say it.

-- +goose Up
ALTER TABLE record ADD COLUMN kept_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX record_kept_at ON record (kept_at, spool, seq);
