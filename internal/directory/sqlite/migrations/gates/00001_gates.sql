-- What the directory knows of its gates (design R6, R16), in a file of its own. Text
-- compares byte for byte.

-- +goose Up

-- A row is a process that may hold a lease. What it has acknowledged is a position: of
-- another history, which a restore has left, it counts for nothing. term is in
-- nanoseconds, mark '' for none.
CREATE TABLE gate (
    instance TEXT PRIMARY KEY,
    label    TEXT NOT NULL,
    policy   TEXT NOT NULL,
    revision INTEGER NOT NULL CHECK (revision >= 0),
    tag      BLOB NOT NULL CHECK (length(tag) = 32),
    term     INTEGER NOT NULL,
    mark     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pulse (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    n    INTEGER NOT NULL
) STRICT;
INSERT INTO pulse (only, n) VALUES (1, 0);

-- In which era all gates that may have a lease have rows (R11).
CREATE TABLE settled (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    era  TEXT NOT NULL
) STRICT;

-- What gates had spooled.
CREATE TABLE record (
    spool TEXT NOT NULL,
    seq   INTEGER NOT NULL CHECK (seq > 0),
    data  BLOB NOT NULL,
    PRIMARY KEY (spool, seq)
) STRICT;
