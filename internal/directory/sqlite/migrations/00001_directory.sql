-- Ids are TEXT with SQLite's BINARY collation: they compare byte for byte (S14).
-- Times are microseconds since 1970 in UTC; NULL is no time. Lists are JSON
-- arrays of strings. Nothing is ever deleted but what is personal.

-- +goose Up
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The position and how far the trail goes: always exactly one row.
CREATE TABLE head (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    revision INTEGER NOT NULL CHECK (revision > 0),
    seq      INTEGER NOT NULL CHECK (seq > 0),
    tag      BLOB NOT NULL CHECK (length(tag) = 32)
) STRICT;

CREATE TABLE account (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'closed')),
    mfa_required INTEGER NOT NULL CHECK (mfa_required IN (0, 1)),
    created_at   INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE user (
    id         TEXT PRIMARY KEY,
    status     TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    mfa        INTEGER NOT NULL CHECK (mfa IN (0, 1)),
    created_at INTEGER
) STRICT, WITHOUT ROWID;

-- What is personal about a user, apart, so that it can be erased. No row: nothing.
CREATE TABLE person (
    user       TEXT PRIMARY KEY REFERENCES user (id),
    email      TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name  TEXT NOT NULL,
    locale     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- owner is 2 only inside a transaction: an owner the update has put, while the
-- one before may not have been demoted yet. The index allows one 1 per account.
CREATE TABLE membership (
    account    TEXT NOT NULL REFERENCES account (id),
    user       TEXT NOT NULL REFERENCES user (id),
    state      TEXT NOT NULL CHECK (state IN ('active', 'pending', 'removed')),
    owner      INTEGER NOT NULL CHECK (owner IN (0, 1, 2) AND (owner = 0 OR state = 'active')),
    presets    TEXT NOT NULL,
    categories TEXT NOT NULL,
    scope      TEXT NOT NULL,
    not_before INTEGER,
    not_after  INTEGER,
    last_login INTEGER,
    created_at INTEGER,
    PRIMARY KEY (account, user)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX membership_owner ON membership (account) WHERE owner = 1;
CREATE INDEX membership_user ON membership (user);

CREATE TABLE token (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    digest     BLOB NOT NULL CHECK (length(digest) = 32),
    scopes     TEXT NOT NULL,
    created_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE change_log (
    revision INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    account  TEXT NOT NULL,
    user     TEXT NOT NULL,
    PRIMARY KEY (revision, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_line (
    seq      INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    time     INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    client   TEXT NOT NULL,
    action   TEXT NOT NULL,
    object   TEXT NOT NULL,
    detail   TEXT NOT NULL,
    hash     BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX audit_line_revision ON audit_line (revision);
