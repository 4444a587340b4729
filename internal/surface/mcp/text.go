package mcp

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"weir/internal/fault"
	"weir/internal/query"
)

// explain is an error as an agent can act on it: what is wrong with a filter, and where.
func explain(err error) string {
	out := "error: " + said(err)
	var f *fault.Error
	if errors.As(err, &f) && f.Field != "" && !strings.Contains(f.Msg, f.Field) {
		out += " (argument " + f.Field + ")"
	}
	var p *query.ParseError
	switch {
	case !errors.As(err, &p):
	case f != nil && f.Field != "filter":
		out += fmt.Sprintf(" (at byte %d)", p.Pos)
	default:
		out += fmt.Sprintf(" (at byte %d; list_fields names the fields)", p.Pos)
	}
	return out
}

// table is rows of cells with a tab between them, the smallest form that stays readable.
type table struct {
	b     strings.Builder
	limit int // bytes; 0 = none
	full  bool
}

func (t *table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = cell(c)
	}
	line := strings.Join(cells, "\t") + "\n"
	if t.limit > 0 && t.b.Len()+len(line) > t.limit {
		t.full = true
		return
	}
	t.b.WriteString(line)
}

// cell keeps a value on its line and in its column.
func cell(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' {
			return ' '
		}
		return r
	}, s))
}

// bounded is a number asked for, or the default, within bounds.
func bounded(n, otherwise, most int) int {
	if n <= 0 {
		return otherwise
	}
	return min(n, most)
}

// moment reads a time: RFC 3339, or a time before now such as 24h or 7d.
func (c *caller) moment(field, s string) (time.Time, error) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "-")
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UTC(), nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n float64
		if _, err := fmt.Sscanf(days, "%g", &n); err == nil && n >= 0 && n < 1e5 {
			return c.Now().Add(-time.Duration(n * 24 * float64(time.Hour))), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return c.Now().Add(-d), nil
	}
	return time.Time{}, fault.Bad(field, "%s must be a time such as 2026-03-01T12:00:00Z, or how long ago, such as 24h or 7d", field)
}

// selection is what most tools narrow by.
func (c *caller) selection(filter, from, to string) (q query.Query, err error) {
	q.Project = c.project()
	if q.Filter, err = query.ParseAt(filter, c.Now()); err != nil {
		return q, err
	}
	if q.From, err = c.moment("from", from); err != nil {
		return q, err
	}
	q.To, err = c.moment("to", to)
	return q, err
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func took(d time.Duration) string {
	switch {
	case d <= 0:
		return "0"
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}

func usd(v float64) string {
	if v == 0 {
		return "0"
	}
	return fmt.Sprintf("%.4g", v)
}

func partial(yes bool) string {
	if yes {
		return "(the index lags behind: the newest spans may be missing)\n"
	}
	return ""
}
