-- +goose Up
-- channels holds sealed secrets.
CREATE TABLE alerts (
    id        TEXT PRIMARY KEY,
    project   TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name      TEXT NOT NULL,
    enabled   INTEGER NOT NULL,
    filter    TEXT NOT NULL,
    measure   TEXT NOT NULL,
    group_by  TEXT NOT NULL,
    op        TEXT NOT NULL,
    threshold REAL NOT NULL,
    lookback  INTEGER NOT NULL,
    every     INTEGER NOT NULL,
    cooldown  INTEGER NOT NULL,
    min_calls INTEGER NOT NULL,
    no_data   TEXT NOT NULL,
    channels  TEXT NOT NULL,
    snoozed   INTEGER NOT NULL,
    owner     TEXT NOT NULL,
    created   INTEGER NOT NULL,
    updated   INTEGER NOT NULL,
    checked   INTEGER NOT NULL
) STRICT;
CREATE INDEX alerts_by_project ON alerts (project, name);

-- How each group of an alert stands. seen is when it last had data.
CREATE TABLE alert_states (
    alert    TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    grp      TEXT NOT NULL,
    state    TEXT NOT NULL,
    reason   TEXT NOT NULL,
    since    INTEGER NOT NULL,
    value    REAL,
    told     INTEGER NOT NULL,
    notified INTEGER NOT NULL,
    seen     INTEGER NOT NULL,
    PRIMARY KEY (alert, grp)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_events (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    alert    TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    time     INTEGER NOT NULL,
    grp      TEXT NOT NULL,
    state    TEXT NOT NULL,
    reason   TEXT NOT NULL,
    value    REAL,
    notified TEXT NOT NULL
) STRICT;
CREATE INDEX alert_events_by_alert ON alert_events (alert, seq);
