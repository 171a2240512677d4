-- Contacts (req 17, 20, 25), the rights of staff (A13.19), what members chose to be
-- sent, and what they hold on the whole account (A13.16). It only adds, and
-- everything added has a default: a program of before may go on writing.

-- +goose Up
ALTER TABLE user ADD COLUMN staff TEXT NOT NULL DEFAULT '';
CREATE INDEX user_staff ON user (id) WHERE staff <> '';

ALTER TABLE membership ADD COLUMN account_wide TEXT NOT NULL DEFAULT '[]';
ALTER TABLE membership ADD COLUMN mail_on TEXT NOT NULL DEFAULT '[]';
ALTER TABLE membership ADD COLUMN mail_off TEXT NOT NULL DEFAULT '[]';

-- A contact is of one account for ever: nothing updates its account.
CREATE TABLE contact (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL REFERENCES account (id),
    status     TEXT NOT NULL CHECK (status IN ('active', 'removed')),
    mails      TEXT NOT NULL,
    scope      TEXT NOT NULL,
    created_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_account ON contact (account);

-- What is personal about a contact, apart, so that it can be erased. No row: nothing.
CREATE TABLE contact_person (
    contact    TEXT PRIMARY KEY REFERENCES contact (id),
    email      TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name  TEXT NOT NULL,
    locale     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE change_log ADD COLUMN contact TEXT NOT NULL DEFAULT '';
