package duckdb

import (
	"strings"

	"weir/internal/query"
	"weir/internal/tenant"
)

// sqlView is a table as statements of users see it.
type sqlView struct {
	name, doc string
	columns   []sqlColumn
	body      func(p tenant.ProjectID) string
}

// sqlColumn is one of its columns; expr makes it from the index's own.
type sqlColumn struct{ name, kind, doc, expr string }

var sqlViews = []sqlView{spansView(), tracesView, scoresView}

// sqlNames are the columns that are not called as in the filter language: words that SQL reserves, and what says its unit.
var sqlNames = map[string]string{
	"trace": "trace_id", "id": "span_id", "parent": "parent_id", "start": "start_time", "user": "user_id", "key": "key_id", "team": "team_id", "tag": "tags",
	"duration": "duration_ms", "ttft": "first_token_ms", "cost": "cost_usd", "cache_read": "cache_read_tokens", "cache_write": "cache_write_tokens",
	"http": "http_status", "session": "session_id", "score": "scores",
}

func spansView() sqlView {
	v := sqlView{name: "spans", doc: "one row a span: calls through the gateway, and what applications sent"}
	for _, f := range query.Fields {
		if c, ok := spanColumn(f); ok && f.Indexed() {
			v.columns = append(v.columns, c)
		}
	}
	v.columns = append(v.columns, sqlColumn{"end_time", "TIMESTAMP_NS", "UTC", `make_timestamp_ns("start" + "duration")`})
	v.body = func(p tenant.ProjectID) string { return v.sql() + ofProject(p) }
	return v
}

// ofProject is the predicate that keeps projects apart.
func ofProject(p tenant.ProjectID) string {
	return ` FROM ` + attachedAs + `.main.spans WHERE project = ` + literal(query.Cut(string(p)))
}

func (v sqlView) sql() string {
	exprs := make([]string, len(v.columns))
	for i, c := range v.columns {
		exprs[i] = c.expr + ` AS "` + c.name + `"`
	}
	return "SELECT " + strings.Join(exprs, ", ")
}

func spanColumn(f *query.Field) (sqlColumn, bool) {
	c := sqlColumn{name: f.Name, doc: f.Doc, expr: col(f)}
	if n, ok := sqlNames[f.Name]; ok {
		c.name = n
	}
	switch f.Type {
	case query.Text, query.Enum:
		c.kind = "VARCHAR"
	case query.List:
		c.kind = "VARCHAR[]"
	case query.Map:
		c.kind, c.doc = "MAP(VARCHAR, VARCHAR)", "values by dotted path: "+c.name+"['team.name']"
	case query.Bool:
		c.kind, c.expr = "BOOLEAN", c.expr+" <> 0"
	case query.Duration:
		c.kind, c.expr = "DOUBLE", orNull(f, c.expr)+" / 1e6"
	case query.Money:
		c.kind, c.expr = "DOUBLE", c.expr+" / 1e9"
	case query.Time:
		c.kind, c.expr, c.doc = "TIMESTAMP_NS", "make_timestamp_ns("+c.expr+")", "UTC"
	case query.Number:
		c.kind, c.expr = "BIGINT", orNull(f, c.expr)
	default:
		return c, false
	}
	return c, true
}

func orNull(f *query.Field, expr string) string {
	if f.Optional {
		return "nullif(" + expr + ", 0)"
	}
	return expr
}

var tracesView = sqlView{
	name: "traces", doc: "one row a trace, summed over its spans; calls, cost and tokens leave out covered spans",
	columns: []sqlColumn{
		{"trace_id", "VARCHAR", "", ""},
		{"name", "VARCHAR", "of the first span", ""},
		{"start_time", "TIMESTAMP_NS", "UTC", ""},
		{"end_time", "TIMESTAMP_NS", "UTC", ""},
		{"duration_ms", "DOUBLE", "", ""},
		{"spans", "BIGINT", "", ""},
		{"calls", "BIGINT", "model calls", ""},
		{"errors", "BIGINT", "spans that failed", ""},
		{"cost_usd", "DOUBLE", "", ""},
		{"tokens", "BIGINT", "", ""},
		{"session_id", "VARCHAR", "", ""},
		{"user_id", "VARCHAR", "", ""},
	},
	body: func(tenant.ProjectID) string {
		return `SELECT trace_id, arg_min(name, start_time) AS name, min(start_time) AS start_time, max(end_time) AS end_time,
			date_diff('microsecond', min(start_time), max(end_time)) / 1e3 AS duration_ms, count(*) AS spans,
			count(*) FILTER (WHERE kind IN ` + callKinds + ` AND NOT covered) AS calls, count(*) FILTER (WHERE status IN ('error', 'interrupted')) AS errors,
			coalesce(sum(cost_usd) FILTER (WHERE NOT covered), 0) AS cost_usd, coalesce(sum(tokens) FILTER (WHERE NOT covered), 0)::BIGINT AS tokens, max(session_id) AS session_id, max(user_id) AS user_id
			FROM spans GROUP BY trace_id`
	},
}

var scoresView = sqlView{
	name: "scores", doc: "one row a score of a span, in its latest value; a score of a trace is on its root span",
	columns: []sqlColumn{
		{"trace_id", "VARCHAR", "", ""},
		{"span_id", "VARCHAR", "", ""},
		{"start_time", "TIMESTAMP_NS", "of the span, UTC", ""},
		{"name", "VARCHAR", "", ""},
		{"value", "DOUBLE", "NULL for categories and texts; 1 and 0 for true and false", ""},
		{"text", "VARCHAR", "", ""},
	},
	body: func(tenant.ProjectID) string {
		return `SELECT trace_id, span_id, start_time, e.key AS name, CASE e.value WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE try_cast(e.value AS DOUBLE) END AS value,
			e.value AS text FROM (SELECT trace_id, span_id, start_time, unnest(map_entries(scores)) AS e FROM spans WHERE cardinality(scores) > 0)`
	},
}
