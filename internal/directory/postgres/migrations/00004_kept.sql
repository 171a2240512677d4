-- When each record came, in microseconds since 1970: auditors read them in that order. A
-- program of before says it too, because the database does.

-- +goose Up
ALTER TABLE doorward.records ADD COLUMN kept_at bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
CREATE INDEX records_kept_at ON doorward.records (kept_at, spool, seq);
