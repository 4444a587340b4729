package duckdb

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"sync"
	"time"

	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
)

// hour is the unit by which answers are kept: what started within one changes together.
const hour = int64(time.Hour)

// hourOf counts hours since 1970.
func hourOf(nanos int64) int64 {
	h := nanos / hour
	if nanos%hour < 0 {
		h--
	}
	return h
}

// mostHours bounds what is known of one project by the hour; clients claim any time. Beyond it, all of it changed.
const mostHours = 20_000

// changes tell when spans of an hour were last added, replaced or removed. The writer notes what a transaction touches
// and publishes it once the transaction is over: what was read before has an earlier time then, whichever rows it saw.
type changes struct {
	noted []touched // by the transaction under way; only the writer uses it

	mu       sync.RWMutex
	now      uint64
	all      uint64 // everything changed then
	projects map[string]*projectChanges
}

type touched struct {
	project string
	hour    int64
	whole   bool // all hours; of all projects, if there is no project
}

type projectChanges struct {
	all   uint64
	hours map[int64]uint64
}

func (c *changes) note(s *span.Span) {
	c.noteHour(query.Cut(string(s.Project)), query.Nanos(s.Start))
}

func (c *changes) noteHour(project string, start int64) {
	t := touched{project: project, hour: hourOf(start)}
	if n := len(c.noted); n == 0 || c.noted[n-1] != t {
		c.noted = append(c.noted, t)
	}
}

// noteAll is for what is removed regardless of its time; "" stands for all projects.
func (c *changes) noteAll(p tenant.ProjectID) {
	c.noted = append(c.noted, touched{project: query.Cut(string(p)), whole: true})
}

// remove deletes the rows that a query finds, and notes them. They are looked for first, since a DELETE that returns what
// it removed reads it whole, row by row.
func (c *changes) remove(ctx context.Context, conn *sql.Conn, find string, args ...any) error {
	r, err := conn.QueryContext(ctx, find, args...)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // its error is Err's
	var places []string
	for r.Next() {
		var place, start int64
		var project string
		if err := r.Scan(&place, &project, &start); err != nil {
			return err
		}
		c.noteHour(project, start)
		places = append(places, strconv.FormatInt(place, 10))
	}
	if err := r.Err(); err != nil || len(places) == 0 {
		return err
	}
	_, err = conn.ExecContext(ctx, `DELETE FROM spans USING (SELECT unnest(string_split(?, ','))::BIGINT AS place) WHERE spans.rowid = place`, strings.Join(places, ","))
	return err
}

// publish makes what was noted known.
func (c *changes) publish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now++
	for _, t := range c.noted {
		c.touch(t)
	}
	c.noted = c.noted[:0]
}

func (c *changes) touch(t touched) {
	if t.whole && t.project == "" {
		c.all, c.projects = c.now, nil
		return
	}
	if c.projects == nil {
		c.projects = map[string]*projectChanges{}
	}
	p := c.projects[t.project]
	if p == nil {
		p = &projectChanges{hours: map[int64]uint64{}}
		c.projects[t.project] = p
	}
	if p.hours[t.hour] = c.now; t.whole || len(p.hours) > mostHours {
		p.all = c.now
		clear(p.hours)
	}
}

// time is what to note with what is read from now on.
func (c *changes) time() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.now
}

// each calls f with the time of the last change of each of some hours, from first up to last.
func (c *changes) each(project string, first, last int64, f func(h int64, at uint64)) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p, least := c.projects[project], c.all
	if p != nil {
		least = max(least, p.all)
	}
	for h := first; h < last; h++ {
		at := least
		if p != nil {
			at = max(at, p.hours[h])
		}
		f(h, at)
	}
}
