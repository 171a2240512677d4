-- Promoted policies, each by the revision that promoted it (design R13). Only the last ones
-- are kept: what a row said is in the trail. A program of before neither reads nor writes it.

-- +goose Up
CREATE TABLE doorward.policies (
    revision bigint PRIMARY KEY CHECK (revision > 0),
    digest   text COLLATE "C" NOT NULL,
    bundle   bytea NOT NULL
);
