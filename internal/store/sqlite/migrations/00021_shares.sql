-- +goose Up
CREATE TABLE shares (
    hash    TEXT PRIMARY KEY, -- SHA-256 of the token
    id      TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    trace   TEXT NOT NULL,
    bodies  INTEGER NOT NULL,
    author  TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX shares_by_trace ON shares (project, trace);
CREATE INDEX shares_by_expiry ON shares (expires);
