-- +goose Up
CREATE TABLE exports (
    id       TEXT PRIMARY KEY,
    project  TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name     TEXT NOT NULL,
    filter   TEXT NOT NULL,
    every    TEXT NOT NULL,
    bodies   INTEGER NOT NULL,
    enabled  INTEGER NOT NULL,
    target   TEXT NOT NULL,
    owner    TEXT NOT NULL,
    created  INTEGER NOT NULL,
    updated  INTEGER NOT NULL,
    last_run TEXT NOT NULL
) STRICT;
CREATE INDEX exports_by_project ON exports (project, name);

-- Files written: one an hour.
CREATE TABLE export_parts (
    export TEXT NOT NULL REFERENCES exports (id) ON DELETE CASCADE,
    hour   INTEGER NOT NULL,
    print  TEXT NOT NULL,
    spans  INTEGER NOT NULL,
    bytes  INTEGER NOT NULL,
    PRIMARY KEY (export, hour)
) STRICT, WITHOUT ROWID;
