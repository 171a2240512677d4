-- What the directory knows of its gates (design R6, R16). The tables are logged, as all
-- are: what the database has answered survives a crash, and a failover where commits are
-- replicated synchronously.

-- +goose Up

-- A row is a process that may hold a lease. term is in nanoseconds, mark '' for none.
-- Asks change the same few columns all the time: room for that is left in each page.
CREATE TABLE doorward.gates (
    instance     text COLLATE "C" PRIMARY KEY,
    label        text COLLATE "C" NOT NULL,
    policy       text COLLATE "C" NOT NULL,
    acknowledged bigint NOT NULL CHECK (acknowledged >= 0),
    term         bigint NOT NULL,
    mark         text COLLATE "C" NOT NULL
) WITH (fillfactor = 50);

-- In which era all gates that may have a lease have rows (R11).
CREATE TABLE doorward.settled (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    era text COLLATE "C" NOT NULL
);

-- What gates had spooled.
CREATE TABLE doorward.records (
    spool text COLLATE "C" NOT NULL,
    seq   bigint NOT NULL CHECK (seq > 0),
    data  bytea NOT NULL,
    PRIMARY KEY (spool, seq)
);
