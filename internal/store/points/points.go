// Package points keeps data points of metrics in plain files, one per project and day of receipt, which go as a whole when
// their days are over. There are few of them beside spans, so a read scans the days it asks for.
package points

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"weir/internal/fault"
	"weir/internal/ingest"
	"weir/internal/jsonx"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Options tune a Store; the zero value of each field is a good default.
type Options struct {
	Days     int   // kept beside today: 30
	DayBytes int64 // of one project; a full day takes nothing more: 64 MiB
	Now      func() time.Time
}

// Store implements ingest.Points over a folder. A file is open only while it is written or read.
type Store struct {
	dir   string
	o     Options
	mu    sync.Mutex // one writer; swept is the day of the last sweep
	swept span.Day
}

var _ ingest.Points = (*Store)(nil)

// Open returns a Store over a folder, which is made when there is something to keep.
func Open(dir string, o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Days, o.DayBytes = cmp.Or(o.Days, 30), cmp.Or(o.DayBytes, 64<<20)
	return &Store{dir: dir, o: o}
}

// of is a project's folder; ids are hex there, since they may be any text.
func (s *Store) of(p tenant.ProjectID) string {
	return filepath.Join(s.dir, "p"+hex.EncodeToString([]byte(p)))
}

const suffix = ".jsonl"

func fileOf(d span.Day) string { return strconv.FormatUint(uint64(d), 10) + suffix }

func dayOf(name string) (span.Day, bool) {
	n, err := strconv.ParseUint(strings.TrimSuffix(name, suffix), 10, 32)
	return span.Day(n), err == nil && strings.HasSuffix(name, suffix)
}

// AddPoints implements ingest.Points.
func (s *Store) AddPoints(_ context.Context, p tenant.ProjectID, points []ingest.Point) error {
	var lines bytes.Buffer
	now := s.o.Now()
	for i := range points {
		if points[i].Time.IsZero() {
			points[i].Time = now.UTC()
		}
		line, err := jsonx.Marshal(&points[i])
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "a data point cannot be encoded")
		}
		lines.Write(append(line, '\n'))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	today := span.DayOf(now)
	if s.swept != today {
		s.swept = today
		if err := s.sweep(today); err != nil {
			return broken(err)
		}
	}
	return s.write(p, today, lines.Bytes())
}

func (s *Store) write(p tenant.ProjectID, d span.Day, lines []byte) (err error) {
	if err := os.MkdirAll(s.of(p), 0o700); err != nil {
		return broken(err)
	}
	f, err := os.OpenFile(filepath.Join(s.of(p), fileOf(d)), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return broken(err)
	}
	defer func() {
		if closeErr := f.Close(); err == nil && closeErr != nil {
			err = broken(closeErr)
		}
	}()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return broken(err)
	}
	if size+int64(len(lines)) > s.o.DayBytes {
		return &fault.Error{Kind: fault.RateLimited, Msg: "no more data points are kept today", RetryAfter: time.Hour}
	}
	last := []byte{'\n'}
	if size > 0 {
		if _, err := f.ReadAt(last, size-1); err != nil {
			return broken(err)
		}
	}
	if last[0] != '\n' { // a crash cut the last line
		lines = append([]byte{'\n'}, lines...)
	}
	if _, err := f.Write(lines); err != nil {
		return errors.Join(broken(err), f.Truncate(size))
	}
	if err := f.Sync(); err != nil {
		return broken(err)
	}
	return nil
}

func broken(err error) error {
	return &fault.Error{Kind: fault.Unavailable, Msg: "data points cannot be kept now", RetryAfter: 5 * time.Second, Err: err}
}

// sweep removes days that are over, and what a crash left half-made; the lock is held.
func (s *Store) sweep(today span.Day) error {
	err := filepath.WalkDir(s.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if d, ok := dayOf(e.Name()); ok && d+span.Day(s.o.Days) < today || isMaking(e.Name()) {
			return os.Remove(path)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Points implements ingest.Points. Points are filed by receipt, so those of a time may stand in any later file.
func (s *Store) Points(ctx context.Context, p tenant.ProjectID, q ingest.PointQuery) (points []ingest.Point, series []ingest.Series, truncated bool, err error) {
	entries, err := os.ReadDir(s.of(p))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, false, broken(err)
	}
	var days []span.Day
	for _, e := range entries {
		if d, ok := dayOf(e.Name()); ok && (q.From.IsZero() || d+1 >= span.DayOf(q.From)) {
			days = append(days, d)
		}
	}
	slices.Sort(days)
	r := reader{q: q, series: map[string]*ingest.Series{}}
	for _, d := range days {
		if err := r.read(ctx, filepath.Join(s.of(p), fileOf(d))); err != nil {
			return nil, nil, false, err
		}
	}
	for _, v := range r.series {
		series = append(series, *v)
	}
	slices.SortFunc(series, func(a, b ingest.Series) int { return cmp.Compare(a.Name, b.Name) })
	return r.points, series, r.truncated, nil
}

type reader struct {
	q         ingest.PointQuery
	points    []ingest.Point
	series    map[string]*ingest.Series
	truncated bool
}

// maxLine is more than a request may hold.
const maxLine = 64 << 20

func (r *reader) read(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return broken(err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for lines.Scan() {
		var p ingest.Point
		if jsonx.Unmarshal(lines.Bytes(), &p) == nil { // a line that a crash cut was never acknowledged
			r.take(&p)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return broken(err)
	}
	return nil
}

func (r *reader) take(p *ingest.Point) {
	if !r.q.From.IsZero() && p.Time.Before(r.q.From) || !r.q.To.IsZero() && !p.Time.Before(r.q.To) {
		return
	}
	s := r.series[p.Name]
	if s == nil {
		s = &ingest.Series{Name: p.Name, First: p.Time}
		r.series[p.Name] = s
	}
	s.Unit, s.Kind, s.Points = p.Unit, p.Kind, s.Points+1
	if p.Time.Before(s.First) {
		s.First = p.Time
	}
	if p.Time.After(s.Last) {
		s.Last = p.Time
	}
	if p.Name != r.q.Name {
		return
	}
	if len(r.points) >= r.q.Limit {
		r.truncated = true
		return
	}
	r.points = append(r.points, *p)
}
