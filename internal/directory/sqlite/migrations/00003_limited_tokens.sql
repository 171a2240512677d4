-- What limited client tokens may ask about. A program of before knows no limits and
-- must not take a limited token for a free one: it reads scopes, which are empty for
-- those, and refuses them. Theirs are in limited_scopes.

-- +goose Up
ALTER TABLE token ADD COLUMN accounts TEXT NOT NULL DEFAULT '[]';
ALTER TABLE token ADD COLUMN types TEXT NOT NULL DEFAULT '[]';
ALTER TABLE token ADD COLUMN limited_scopes TEXT NOT NULL DEFAULT '[]';
