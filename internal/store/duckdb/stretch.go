package duckdb

import (
	"math"
	"slices"
	"time"

	"weir/internal/query"
)

const (
	widest   = 400 * 24       // hours
	mostRuns = 12             // of hours that are read apart
	soon     = 24 * time.Hour // how far ahead of the clock hours are kept
)

// window is the time of a query, and the whole hours in it.
type window struct{ from, to, first, last int64 }

func windowOf(q query.Query, reach int64) window {
	w := window{from: math.MinInt64, to: math.MaxInt64}
	if !q.From.IsZero() {
		w.from = query.Nanos(q.From)
	}
	if !q.To.IsZero() {
		w.to = query.Nanos(q.To)
	}
	w.last = hourOf(min(w.to, query.Nanos(time.Now().Add(soon))))
	w.first = max(hourOf(max(w.from, -hour)-1)+1, w.last-reach)
	w.last = max(w.last, w.first)
	return w
}

// stretch is time from one nanosecond up to another.
type stretch struct{ from, to int64 }

// stretches join what is to be read: the hours seen, and what a window has beside its whole hours.
func stretches(w window, each func(see func(h int64))) joining {
	var out joining
	if w.first >= w.last {
		out.add(w.from, w.to)
		return out
	}
	out.add(w.from, w.first*hour)
	each(func(h int64) { out.add(h*hour, (h+1)*hour) })
	out.add(w.last*hour, w.to)
	return out.few(mostRuns)
}

// joining puts stretches together that come in order.
type joining []stretch

func (j *joining) add(from, to int64) {
	switch n := len(*j); {
	case from >= to:
	case n > 0 && (*j)[n-1].to >= from:
		(*j)[n-1].to = to
	default:
		*j = append(*j, stretch{from, to})
	}
}

// few takes in the shortest gaps until there are at most n.
func (j joining) few(n int) joining {
	for len(j) > n {
		least := 1
		for i := 2; i < len(j); i++ {
			if j[i].from-j[i-1].to < j[least].from-j[least-1].to {
				least = i
			}
		}
		j[least-1].to = j[least].to
		j = slices.Delete(j, least, least+1)
	}
	return j
}

// worth are at most three stretches to read instead of so many hours, nil if that saves little: the engine plans badly
// with gaps.
func (j joining) worth(hours int) joining {
	total := int64(0)
	j = j.few(3)
	for _, s := range j {
		total += (s.to - s.from) / hour
	}
	if total > int64(hours)/2 {
		return nil
	}
	return j
}

// during writes the condition of having started then; no stretches are all time.
func (st *statement) during(when []stretch) *statement {
	if len(when) == 0 {
		return st
	}
	st.add(` AND "start" >= ? AND "start" < ?`, when[0].from, when[len(when)-1].to)
	for i := range when[1:] { // what is between them
		st.add(` AND ("start" < ? OR "start" >= ?)`, when[i].to, when[i+1].from)
	}
	return st
}
