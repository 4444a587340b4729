package duckdb

import (
	"context"
	"database/sql"
	"strings"

	"weir/internal/query"
)

// joined is a list of texts as one parameter, for string_split(?, chr(31)).
func joined(vals []string) string { return strings.Join(vals, separator) }

// scored is when selected spans have scores; it is not known if there are too many.
func (x *Index) scored(ctx context.Context, q query.Query) (when joining, known bool, err error) {
	if !fits(q) {
		return nil, false, nil
	}
	r, err := x.cells(ctx, shape{Query: q, and: `cardinality("score") > 0`, part: hour, tallies: []tally{{sql: `count(*)`}}})
	for _, b := range r.blocks {
		when.add(b.hour*hour, (b.hour+1)*hour)
	}
	return when, true, err
}

// means averages all scores of the spans that a condition, no wider than a query, selects, per value of an expression.
func (x *Index) means(ctx context.Context, q query.Query, by string, condition *statement) (map[string][]query.ScoreMean, error) {
	when, known, err := x.scored(ctx, q)
	if err != nil || known && len(when) == 0 {
		return nil, err
	}
	n := `CASE e.value WHEN 'true' THEN 1.0::DOUBLE WHEN 'false' THEN 0.0::DOUBLE ELSE TRY_CAST(e.value AS DOUBLE) END`
	s := new(statement).add(`SELECT g, e.key, avg(` + n + `) FILTER (WHERE abs(` + n + `) <= 1e9), count(*) FROM (SELECT ` + by +
		` AS g, unnest(map_entries("score")) AS e FROM spans WHERE cardinality("score") > 0 AND `)
	s.add(condition.String(), condition.args...).during(when.few(3)).add(`) GROUP BY g, e.key ORDER BY g, e.key`)
	out := map[string][]query.ScoreMean{}
	err = x.rows(ctx, s, func(r *sql.Rows) error {
		var g string
		var m query.ScoreMean
		var mean sql.NullFloat64
		err := r.Scan(&g, &m.Name, &mean, &m.Count)
		if mean.Valid {
			m.Mean = &mean.Float64
		}
		out[g] = append(out[g], m)
		return err
	})
	return out, err
}
