-- +goose Up
CREATE TABLE orgs (
    id      TEXT PRIMARY KEY,
    name    TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE projects (
    id             TEXT PRIMARY KEY,
    org            TEXT NOT NULL REFERENCES orgs (id),
    name           TEXT NOT NULL,
    retention_days INTEGER NOT NULL,
    created        INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    email         TEXT COLLATE NOCASE UNIQUE,
    name          TEXT NOT NULL,
    role          TEXT NOT NULL,
    password      TEXT NOT NULL,
    projects      TEXT NOT NULL,
    origin        TEXT NOT NULL,
    budget_max    INTEGER,
    budget_soft   INTEGER,
    budget_period TEXT NOT NULL,
    budget_reset  INTEGER NOT NULL,
    created       INTEGER NOT NULL
) STRICT;

CREATE TABLE teams (
    id            TEXT PRIMARY KEY,
    alias         TEXT NOT NULL,
    org           TEXT NOT NULL REFERENCES orgs (id),
    project       TEXT NOT NULL REFERENCES projects (id),
    models        TEXT NOT NULL,
    blocked       INTEGER NOT NULL,
    origin        TEXT NOT NULL,
    budget_max    INTEGER,
    budget_soft   INTEGER,
    budget_period TEXT NOT NULL,
    budget_reset  INTEGER NOT NULL,
    created       INTEGER NOT NULL
) STRICT;

-- user is free text: LiteLLM clients name users that were never created.
CREATE TABLE keys (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    alias         TEXT,
    org           TEXT NOT NULL REFERENCES orgs (id),
    project       TEXT NOT NULL REFERENCES projects (id),
    team          TEXT REFERENCES teams (id),
    user          TEXT NOT NULL,
    email         TEXT NOT NULL,
    models        TEXT NOT NULL,
    expires       INTEGER NOT NULL,
    blocked       INTEGER NOT NULL,
    budget_max    INTEGER,
    budget_soft   INTEGER,
    budget_period TEXT NOT NULL,
    budget_reset  INTEGER NOT NULL,
    rpm           INTEGER NOT NULL,
    tpm           INTEGER NOT NULL,
    tags          TEXT NOT NULL,
    metadata      TEXT NOT NULL,
    origin        TEXT NOT NULL,
    created       INTEGER NOT NULL,
    updated       INTEGER NOT NULL,
    last_used     INTEGER NOT NULL,
    author        TEXT NOT NULL,
    UNIQUE (project, alias)
) STRICT;
CREATE INDEX keys_by_project ON keys (project, created, id);
CREATE INDEX keys_by_team ON keys (team);

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE sessions (
    hash    TEXT PRIMARY KEY,
    user    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;

CREATE TABLE login_links (
    hash    TEXT PRIMARY KEY,
    user    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires INTEGER NOT NULL
) STRICT;

CREATE TABLE spend (
    scope  TEXT NOT NULL,
    id     TEXT NOT NULL,
    total  INTEGER NOT NULL,
    window INTEGER NOT NULL,
    start  INTEGER NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE daily (
    project        TEXT NOT NULL,
    day            INTEGER NOT NULL,
    key            TEXT NOT NULL,
    user           TEXT NOT NULL,
    team           TEXT NOT NULL,
    model          TEXT NOT NULL,
    calls          INTEGER NOT NULL,
    failed         INTEGER NOT NULL,
    input          INTEGER NOT NULL,
    cache_read     INTEGER NOT NULL,
    cache_write    INTEGER NOT NULL,
    cache_write_1h INTEGER NOT NULL,
    output         INTEGER NOT NULL,
    cost           INTEGER NOT NULL,
    PRIMARY KEY (project, day, key, user, team, model)
) STRICT, WITHOUT ROWID;

CREATE TABLE daily_tags (
    project        TEXT NOT NULL,
    day            INTEGER NOT NULL,
    tag            TEXT NOT NULL,
    calls          INTEGER NOT NULL,
    failed         INTEGER NOT NULL,
    input          INTEGER NOT NULL,
    cache_read     INTEGER NOT NULL,
    cache_write    INTEGER NOT NULL,
    cache_write_1h INTEGER NOT NULL,
    output         INTEGER NOT NULL,
    cost           INTEGER NOT NULL,
    PRIMARY KEY (project, day, tag)
) STRICT, WITHOUT ROWID;

-- The last ledger entry that spend, daily and daily_tags hold. It moves in the transaction that changes them.
CREATE TABLE ledger_position (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
) STRICT;
INSERT INTO ledger_position VALUES (1, 0);
