-- +goose Up
CREATE TABLE views (
    id      TEXT PRIMARY KEY,
    project TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    page    TEXT NOT NULL,
    search  TEXT NOT NULL,
    shared  INTEGER NOT NULL,
    owner   TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
) STRICT;
CREATE INDEX views_by_project ON views (project, name);
