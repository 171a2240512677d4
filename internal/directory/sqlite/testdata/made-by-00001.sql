-- A directory as a program with migration 00001 alone left it: .dump of its file. It
-- holds a portal of two people, and a token. TestUpgrade opens it.
PRAGMA application_id = 1148153714;
BEGIN TRANSACTION;
CREATE TABLE account (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'closed')),
    mfa_required INTEGER NOT NULL CHECK (mfa_required IN (0, 1)),
    created_at   INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO "account" VALUES('shop','Shop','active',1,1709283600000000);
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
INSERT INTO "audit_line" VALUES(1,1,1795637761037787,'doorward','','directory.create','directory:VNWTNQN6AWTAA2UDCACOUR6XOZ','{"installation":"VNWTNQN6AWTAA2UDCACOUR6XOZ"}',X'9707F13D7203B63A2108A06D0A19361E440DCC19F65AC4313098625B15546410');
INSERT INTO "audit_line" VALUES(2,2,1795637761040382,'cli:root','','import.users','import:1cad8ae66d55ad44','{"changed":"0","first":"ann","last":"ben","new":"2","sha256":"1cad8ae66d55ad44db1fa6e3afa4b75ce4529308af171de72b3c4a4317804c43","source":"demo"}',X'B7DBB5F04EA2B7F8D43C9FD051C83E3649AD9916BD341A2D5FC47AA8D2E79BD6');
INSERT INTO "audit_line" VALUES(3,3,1795637761041593,'cli:root','','import.account','account:shop','{"changed":"0","new":"2","sha256":"1cad8ae66d55ad44db1fa6e3afa4b75ce4529308af171de72b3c4a4317804c43","source":"demo"}',X'8D64AC7B7C80B5FBB1154CF1622B7F0F70930A9E4F3888E61CEA775573FCD2A9');
INSERT INTO "audit_line" VALUES(4,4,1795637761062055,'cli:root','','token.create','token:4i2zvkhah373pj2o','{"scopes":"decide"}',X'10F83080E1B6727DB6CE8ECA35A0B7929839936839D343B1E95F798251772441');
CREATE TABLE change_log (
    revision INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    account  TEXT NOT NULL,
    user     TEXT NOT NULL,
    PRIMARY KEY (revision, n)
) STRICT, WITHOUT ROWID;
INSERT INTO "change_log" VALUES(1,0,'none','','');
INSERT INTO "change_log" VALUES(2,0,'user','','ann');
INSERT INTO "change_log" VALUES(2,1,'user','','ben');
INSERT INTO "change_log" VALUES(3,0,'account','shop','');
INSERT INTO "change_log" VALUES(3,1,'membership','shop','ben');
INSERT INTO "change_log" VALUES(3,2,'membership','shop','ann');
INSERT INTO "change_log" VALUES(4,0,'token','','');
CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO "goose_db_version" VALUES(1,0,1,'2026-11-25 20:16:01');
INSERT INTO "goose_db_version" VALUES(2,1,1,'2026-11-25 20:16:01');
CREATE TABLE head (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    revision INTEGER NOT NULL CHECK (revision > 0),
    seq      INTEGER NOT NULL CHECK (seq > 0),
    tag      BLOB NOT NULL CHECK (length(tag) = 32)
) STRICT;
INSERT INTO "head" VALUES(1,4,4,X'10F83080E1B6727DB6CE8ECA35A0B7929839936839D343B1E95F798251772441');
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
INSERT INTO "membership" VALUES('shop','ann','active',1,'["owner"]','[]','[]',NULL,NULL,NULL,NULL);
INSERT INTO "membership" VALUES('shop','ben','active',0,'["billing"]','["quotes"]','["service:5"]',NULL,1801418400000000,NULL,NULL);
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('installation',X'564E57544E514E3641575441413255444341434F555236584F5A');
INSERT INTO "meta" VALUES('salt',X'5049594D373234464F42454C36345059545142413257355A424451534F36454456494E3433494858514A584A5732443542584C4A');
CREATE TABLE person (
    user       TEXT PRIMARY KEY REFERENCES user (id),
    email      TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name  TEXT NOT NULL,
    locale     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "person" VALUES('ann','ann@shop.example','Ann','Owner','');
INSERT INTO "person" VALUES('ben','ben@shop.example','','','');
CREATE TABLE token (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    digest     BLOB NOT NULL CHECK (length(digest) = 32),
    scopes     TEXT NOT NULL,
    created_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO "token" VALUES('4i2zvkhah373pj2o','shop',X'4BCBDEF093E925D7C4559B0BC1ED8C17F76C816C40D0CD122FEE974DDAC67A67','["decide"]',1795637761061817,NULL);
CREATE TABLE user (
    id         TEXT PRIMARY KEY,
    status     TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    mfa        INTEGER NOT NULL CHECK (mfa IN (0, 1)),
    created_at INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO "user" VALUES('ann','active',0,1709283600000000);
INSERT INTO "user" VALUES('ben','active',1,NULL);
CREATE UNIQUE INDEX membership_owner ON membership (account) WHERE owner = 1;
CREATE INDEX membership_user ON membership (user);
CREATE INDEX audit_line_revision ON audit_line (revision);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('goose_db_version',2);
COMMIT;
