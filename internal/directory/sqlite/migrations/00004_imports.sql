-- Where imported records came from, invitations (req 81-91), what other systems' logs
-- said, sign-ins (A13.13). It only adds, and everything added has a default: a program
-- of before may go on writing. What it changes keeps its origin.

-- +goose Up
ALTER TABLE account ADD COLUMN uuid TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0 CHECK (pruned IN (0, 1));
ALTER TABLE user ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE user ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0 CHECK (pruned IN (0, 1));
ALTER TABLE user ADD COLUMN verified_at INTEGER;
ALTER TABLE user ADD COLUMN last_login INTEGER;
ALTER TABLE membership ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE membership ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0 CHECK (pruned IN (0, 1));
ALTER TABLE contact ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE contact ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0 CHECK (pruned IN (0, 1));

-- An invitation is to one account for ever. Its address is personal: '' once erased.
CREATE TABLE invitation (
    id           TEXT PRIMARY KEY,
    account      TEXT NOT NULL REFERENCES account (id),
    email        TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'revoked')),
    presets      TEXT NOT NULL,
    categories   TEXT NOT NULL,
    scope        TEXT NOT NULL,
    account_wide TEXT NOT NULL,
    not_before   INTEGER,
    not_after    INTEGER,
    invited_by   TEXT NOT NULL,
    by_staff     INTEGER NOT NULL CHECK (by_staff IN (0, 1)),
    expires_at   INTEGER,
    ended_at     INTEGER,
    source       TEXT NOT NULL,
    pruned       INTEGER NOT NULL CHECK (pruned IN (0, 1)),
    created_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX invitation_account ON invitation (account);

-- Lines of other systems' logs. Accounts and users need not be known; what is personal
-- is erased with the line. A line without a time is of the year 1.
CREATE TABLE history (
    source  TEXT NOT NULL,
    id      TEXT NOT NULL,
    at      INTEGER NOT NULL,
    account TEXT NOT NULL,
    user    TEXT NOT NULL,
    staff   TEXT NOT NULL,
    actor   TEXT NOT NULL,
    ip      TEXT NOT NULL,
    text    TEXT NOT NULL,
    PRIMARY KEY (source, id)
) STRICT;
CREATE INDEX history_account ON history (account, at, source, id);
