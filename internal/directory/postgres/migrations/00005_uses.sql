-- The last day on which each member was allowed something, in days since 1970 (design R16).
-- Of whom it says so need not be a member any more. A program of before neither reads nor
-- writes it.

-- +goose Up
CREATE TABLE doorward.uses (
    account_id text COLLATE "C" NOT NULL,
    user_id    text COLLATE "C" NOT NULL,
    day        integer NOT NULL CHECK (day > 0),
    PRIMARY KEY (account_id, user_id)
);
