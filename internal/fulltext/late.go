package fulltext

import (
	"context"
	"maps"
	"time"

	"weir/internal/span"
)

// latecomers are spans of traces that were forgotten and are about to be deleted, but that were written, and so indexed,
// in between.
type latecomers struct {
	forgotten map[home]map[string]time.Time // when
	came      map[home][]name
}

// lateFor is how long after it was forgotten a trace may still be there.
const lateFor = time.Minute

func (l *latecomers) expect(at home, traces map[string]bool, now time.Time) {
	if l.forgotten == nil {
		l.forgotten, l.came = map[home]map[string]time.Time{}, map[home][]name{}
	}
	if l.forgotten[at] == nil {
		l.forgotten[at] = map[string]time.Time{}
	}
	for t := range traces {
		l.forgotten[at][t] = now
	}
}

// watch notes a span that is being indexed.
func (l *latecomers) watch(sp *span.Span) {
	at := home{sp.Project, sp.Day}
	if _, ok := l.forgotten[at][sp.Trace]; ok {
		l.came[at] = append(l.came[at], name{sp.Trace, sp.ID})
	}
}

// forgetLate forgets those that have been deleted meanwhile.
func (s *Service) forgetLate(ctx context.Context) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	now := s.o.Now()
	for at, came := range s.late.came {
		stored, gone, err := s.sort(ctx, at, came)
		if err != nil {
			return err
		}
		if s.late.came[at] = stored; len(stored) == 0 {
			delete(s.late.came, at)
		}
		if len(gone) > 0 {
			if err := s.forget(ctx, at, gone); err != nil {
				return err
			}
		}
	}
	for at, traces := range s.late.forgotten {
		maps.DeleteFunc(traces, func(_ string, when time.Time) bool { return now.Sub(when) > lateFor })
		if len(traces) == 0 {
			delete(s.late.forgotten, at)
			delete(s.late.came, at) // what is still there has come to stay
		}
	}
	return nil
}

// sort tells spans that are stored from traces of which some are not.
func (s *Service) sort(ctx context.Context, at home, names []name) (stored []name, gone []string, err error) {
	keys := make([]span.Key, len(names))
	for i, n := range names {
		keys[i] = span.Key{Trace: n.trace, Span: n.span, Day: at.day}
	}
	spans, err := s.store.Spans(ctx, at.project, keys)
	if err != nil {
		return nil, nil, err
	}
	there := map[name]bool{}
	for _, sp := range spans {
		there[name{sp.Trace, sp.ID}] = true
	}
	for _, n := range names {
		if there[n] {
			stored = append(stored, n)
		} else {
			gone = append(gone, n.trace)
		}
	}
	return stored, gone, nil
}
