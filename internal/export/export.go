// Package export writes spans out of Weir: as Parquet and CSV of any selection, and on a schedule as a tree of Parquet
// files that DuckDB, Spark and pandas read as one table.
package export

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"weir/internal/fault"
	"weir/internal/query"
	"weir/internal/span"
)

// Writer takes items in order. Close writes what the format ends with; what it writes to is left open.
type Writer interface {
	Write(Item) error
	Close() error
}

// A group of rows is held in memory until it is written, and so is what readers skip or take at once.
const (
	groupRows  = 50_000
	groupBytes = 48 << 20
)

// Parquet writes a Parquet file with zstd-compressed columns, in groups of bounded size.
type Parquet struct {
	w          *parquet.GenericWriter[row]
	one        [1]row
	rows, held int
}

var _ Writer = (*Parquet)(nil)

// NewParquet begins a file.
func NewParquet(w io.Writer) *Parquet {
	options := []parquet.WriterOption{parquet.CreatedBy("weir", "", ""), parquet.PageBufferSize(256 << 10), parquet.DataPageStatistics(true)}
	for _, column := range unbounded {
		options = append(options, parquet.SkipPageBounds(column), parquet.SkipPageStatistics(column))
	}
	return &Parquet{w: parquet.NewGenericWriter[row](w, options...)}
}

// unbounded are columns whose values may be megabytes. Their least and greatest value would stand in each page's header,
// whole and uncompressed, and Arrow, which pandas reads with, refuses headers of more than 16 MB.
var unbounded = []string{"input", "output", "params", "metadata", "attributes", "resource", "events", "links", "error_text"}

// Write implements Writer.
func (p *Parquet) Write(it Item) error {
	p.one[0] = rowOf(it)
	if _, err := p.w.Write(p.one[:]); err != nil {
		return err
	}
	p.rows++
	p.held += p.one[0].size()
	if p.rows < groupRows && p.held < groupBytes {
		return nil
	}
	p.rows, p.held = 0, 0
	return p.w.Flush()
}

// Close implements Writer.
func (p *Parquet) Close() error { return p.w.Close() }

// CSV writes a header and a line per span.
type CSV struct {
	w    *csv.Writer
	line []string
}

var _ Writer = (*CSV)(nil)

// NewCSV writes the header.
func NewCSV(w io.Writer) *CSV {
	c := &CSV{w: csv.NewWriter(w)}
	for _, col := range csvColumns {
		c.line = append(c.line, col.name)
	}
	_ = c.w.Write(c.line) // kept by the writer, and returned by Close
	return c
}

// Write implements Writer. Text that a spreadsheet would run as a formula is set off by a quote.
func (c *CSV) Write(it Item) error {
	r := rowOf(it)
	for i, col := range csvColumns {
		c.line[i] = harmless(col.value(&r))
	}
	return c.w.Write(c.line)
}

func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) && !number(s) {
		return "'" + s
	}
	return s
}

func number(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

// Close implements Writer.
func (c *CSV) Close() error {
	c.w.Flush()
	return c.w.Error()
}

// Source is where spans come from; query.Engine is one.
type Source interface {
	List(ctx context.Context, q query.Query, p query.Page) (query.Spans, error)
	Aggregate(ctx context.Context, a query.Aggregate) (query.Aggregation, bool, error)
}

var _ Source = (*query.Engine)(nil)

// Walk calls yield with the selected spans in order of start until it fails. It asks for one stretch of time after the
// other, so that neither memory nor the work of a page grows with the selection. Spans that arrive meanwhile may or may
// not be among them. Partial means that some may be missing, see query.Spans.
func Walk(ctx context.Context, src Source, q query.Query, yield func(*span.Span) error) (partial bool, err error) {
	w := walk{src: src, q: q, end: q.To, yield: yield}
	if w.end.IsZero() {
		w.end = endOfTime
	}
	from, width := q.From, firstWidth
	for {
		start, ok, err := w.next(ctx, from)
		if err != nil || !ok {
			return w.partial, err
		}
		to := start.Add(width)
		if to.After(w.end) {
			to = w.end
		}
		pages, err := w.stretch(ctx, start, to)
		if err != nil {
			return w.partial, err
		}
		from, width = to, wider(width, pages)
	}
}

type walk struct {
	src     Source
	q       query.Query
	end     time.Time
	yield   func(*span.Span) error
	partial bool
}

var endOfTime = time.Date(2260, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	firstWidth = time.Hour
	minWidth   = time.Second
	maxWidth   = 30 * 24 * time.Hour
	goodPages  = 16 // of a stretch
)

func wider(width time.Duration, pages int) time.Duration {
	switch {
	case pages > goodPages:
		return max(width/2, minWidth)
	case pages < goodPages/4:
		return min(width*2, maxWidth)
	}
	return width
}

var oldestFirst = query.Sort{Asc: true}

// next is where the first span at or after a time begins.
func (w *walk) next(ctx context.Context, from time.Time) (start time.Time, ok bool, err error) {
	if !from.IsZero() && !from.Before(w.end) {
		return start, false, nil
	}
	for p := (query.Page{Sort: oldestFirst, Limit: 1}); ; {
		got, err := w.list(ctx, from, w.end, p)
		switch {
		case err != nil:
			return start, false, err
		case len(got.Items) > 0:
			return got.Items[0].Start, true, nil
		case got.Cursor == "":
			return start, false, nil
		}
		p.Cursor = got.Cursor // what the index lists may have been erased meanwhile
	}
}

func (w *walk) list(ctx context.Context, from, to time.Time, p query.Page) (query.Spans, error) {
	q := w.q
	q.From, q.To = from, to
	got, err := w.src.List(ctx, q, p)
	w.partial = w.partial || got.Partial
	return got, err
}

func (w *walk) stretch(ctx context.Context, from, to time.Time) (pages int, err error) {
	p := query.Page{Sort: oldestFirst, Limit: query.MaxLimit}
	for {
		got, err := w.list(ctx, from, to, p)
		if err != nil {
			return pages, err
		}
		for _, s := range got.Items {
			if err := w.yield(s); err != nil {
				return pages, err
			}
		}
		if pages++; got.Cursor == "" {
			return pages, nil
		}
		p.Cursor = got.Cursor
	}
}

// Bodies puts recorded bodies together.
type Bodies interface {
	Body(ctx context.Context, s *span.Span, r span.Ref) ([]byte, error)
}

// Load adds a span's bodies. One that is gone, or was not recorded, is left out.
func Load(ctx context.Context, b Bodies, s *span.Span) (Item, error) {
	it := Item{Span: s}
	for _, x := range []struct {
		ref span.Ref
		to  *[]byte
	}{{s.Input, &it.Input}, {s.Output, &it.Output}} {
		if x.ref.Form == span.FormNone {
			continue
		}
		got, err := b.Body(ctx, s, x.ref)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return it, err
		}
		*x.to = got
	}
	return it, nil
}
