-- The directory in PostgreSQL: the tables of the SQLite store, in a schema of their own.
--
-- Text compares byte for byte (S14), whatever the collation of the database. Times are
-- microseconds since 1970 in UTC, NULL is no time: no setting of a session (TimeZone,
-- DateStyle) touches a number. Lists are arrays of text, empty ones '{}'. Nothing is
-- ever deleted but what is personal.
--
-- Whoever changes this schema only adds, with defaults: while an upgrade is rolled out,
-- programs of before go on writing.

-- +goose Up

-- Whoever writes has the turn, by its lock, from before the first read to the end of
-- the commit. It has no rows: nobody but writers ever waits for it.
CREATE TABLE doorward.turn ();

CREATE TABLE doorward.meta (
    name  text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);

-- The position and how far the trail goes: always exactly one row.
CREATE TABLE doorward.head (
    one      boolean PRIMARY KEY CHECK (one),
    revision bigint NOT NULL CHECK (revision > 0),
    seq      bigint NOT NULL CHECK (seq > 0),
    tag      bytea NOT NULL CHECK (length(tag) = 32)
) WITH (fillfactor = 10);

CREATE TABLE doorward.accounts (
    id           text COLLATE "C" PRIMARY KEY,
    uuid         text COLLATE "C" NOT NULL,
    name         text COLLATE "C" NOT NULL,
    status       text COLLATE "C" NOT NULL CHECK (status IN ('active', 'suspended', 'closed')),
    mfa_required boolean NOT NULL,
    source       text COLLATE "C" NOT NULL,
    pruned       boolean NOT NULL,
    created_at   bigint
);

CREATE TABLE doorward.users (
    id          text COLLATE "C" PRIMARY KEY,
    status      text COLLATE "C" NOT NULL CHECK (status IN ('active', 'disabled')),
    mfa         boolean NOT NULL,
    staff       text COLLATE "C" NOT NULL,
    verified_at bigint,
    last_login  bigint,
    source      text COLLATE "C" NOT NULL,
    pruned      boolean NOT NULL,
    created_at  bigint
);
CREATE INDEX users_staff ON doorward.users (id) WHERE staff <> '';

-- What is personal about a user, apart, so that it can be erased. No row: nothing.
CREATE TABLE doorward.people (
    user_id    text COLLATE "C" PRIMARY KEY REFERENCES doorward.users (id),
    email      text COLLATE "C" NOT NULL,
    first_name text COLLATE "C" NOT NULL,
    last_name  text COLLATE "C" NOT NULL,
    locale     text COLLATE "C" NOT NULL
);

-- At most one owner an account, once the update is done: inside it the new owner may be
-- put before the old one is demoted.
CREATE TABLE doorward.memberships (
    account_id   text COLLATE "C" NOT NULL REFERENCES doorward.accounts (id),
    user_id      text COLLATE "C" NOT NULL REFERENCES doorward.users (id),
    state        text COLLATE "C" NOT NULL CHECK (state IN ('active', 'pending', 'removed')),
    owner        boolean NOT NULL CHECK (NOT owner OR state = 'active'),
    presets      text[] COLLATE "C" NOT NULL,
    categories   text[] COLLATE "C" NOT NULL,
    scope        text[] COLLATE "C" NOT NULL,
    account_wide text[] COLLATE "C" NOT NULL,
    not_before   bigint,
    not_after    bigint,
    mail_on      text[] COLLATE "C" NOT NULL,
    mail_off     text[] COLLATE "C" NOT NULL,
    last_login   bigint,
    source       text COLLATE "C" NOT NULL,
    pruned       boolean NOT NULL,
    created_at   bigint,
    PRIMARY KEY (account_id, user_id),
    CONSTRAINT memberships_owner EXCLUDE USING btree (account_id WITH =) WHERE (owner) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX memberships_user ON doorward.memberships (user_id, account_id);

-- A contact is of one account for ever: nothing updates its account.
CREATE TABLE doorward.contacts (
    id         text COLLATE "C" PRIMARY KEY,
    account_id text COLLATE "C" NOT NULL REFERENCES doorward.accounts (id),
    status     text COLLATE "C" NOT NULL CHECK (status IN ('active', 'removed')),
    mails      text[] COLLATE "C" NOT NULL,
    scope      text[] COLLATE "C" NOT NULL,
    source     text COLLATE "C" NOT NULL,
    pruned     boolean NOT NULL,
    created_at bigint
);
CREATE INDEX contacts_account ON doorward.contacts (account_id, id);

-- What is personal about a contact, apart, so that it can be erased. No row: nothing.
CREATE TABLE doorward.contact_people (
    contact_id text COLLATE "C" PRIMARY KEY REFERENCES doorward.contacts (id),
    email      text COLLATE "C" NOT NULL,
    first_name text COLLATE "C" NOT NULL,
    last_name  text COLLATE "C" NOT NULL,
    locale     text COLLATE "C" NOT NULL
);

-- An invitation is to one account for ever. Its address is personal: '' once erased.
CREATE TABLE doorward.invitations (
    id           text COLLATE "C" PRIMARY KEY,
    account_id   text COLLATE "C" NOT NULL REFERENCES doorward.accounts (id),
    email        text COLLATE "C" NOT NULL,
    state        text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'accepted', 'revoked')),
    presets      text[] COLLATE "C" NOT NULL,
    categories   text[] COLLATE "C" NOT NULL,
    scope        text[] COLLATE "C" NOT NULL,
    account_wide text[] COLLATE "C" NOT NULL,
    not_before   bigint,
    not_after    bigint,
    invited_by   text COLLATE "C" NOT NULL,
    by_staff     boolean NOT NULL,
    expires_at   bigint,
    ended_at     bigint,
    source       text COLLATE "C" NOT NULL,
    pruned       boolean NOT NULL,
    created_at   bigint
);
CREATE INDEX invitations_account ON doorward.invitations (account_id, id);

-- Lines of other systems' logs. Accounts and users need not be known; what is personal
-- is erased with the line. A line without a time is of the year 1.
CREATE TABLE doorward.history (
    source     text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    at         bigint NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    user_id    text COLLATE "C" NOT NULL,
    staff      text COLLATE "C" NOT NULL,
    actor      text COLLATE "C" NOT NULL,
    ip         text COLLATE "C" NOT NULL,
    text       text COLLATE "C" NOT NULL,
    PRIMARY KEY (source, id)
);
CREATE INDEX history_account ON doorward.history (account_id, at, source, id);

-- limited tells whether accounts and types limit the token: nobody can take a limited
-- token for a free one by not reading them.
CREATE TABLE doorward.tokens (
    id         text COLLATE "C" PRIMARY KEY,
    name       text COLLATE "C" NOT NULL,
    digest     bytea NOT NULL CHECK (length(digest) = 32),
    scopes     text[] COLLATE "C" NOT NULL,
    limited    boolean NOT NULL,
    accounts   text[] COLLATE "C" NOT NULL,
    types      text[] COLLATE "C" NOT NULL,
    created_at bigint,
    revoked_at bigint
);

CREATE TABLE doorward.change_log (
    revision   bigint NOT NULL,
    n          integer NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    user_id    text COLLATE "C" NOT NULL,
    contact_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (revision, n)
);

CREATE TABLE doorward.audit_lines (
    seq      bigint PRIMARY KEY,
    revision bigint NOT NULL,
    time     bigint NOT NULL,
    actor    text COLLATE "C" NOT NULL,
    client   text COLLATE "C" NOT NULL,
    action   text COLLATE "C" NOT NULL,
    object   text COLLATE "C" NOT NULL,
    detail   text COLLATE "C" NOT NULL,
    hash     bytea NOT NULL CHECK (length(hash) = 32)
);
CREATE INDEX audit_lines_revision ON doorward.audit_lines (revision, seq);
