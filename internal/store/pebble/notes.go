package pebble

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"weir/internal/fault"
	"weir/internal/id"
	"weir/internal/jsonx"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Notes lie under the home day of their trace, those of sessions under the day they were written, so that retention
// takes them with the day. Marks are not stored in spans: they are put on spans as they are read, so a span that is sent
// again cannot lose them. Names that clients choose are hashed in keys.
const (
	prefixNote   = 'o' // project, day, trace, span, kind, id → Score or Comment; of a session: "" and the session
	prefixPast   = 'h' // project, day, id, version → an earlier Score
	prefixNoteID = 'i' // project, kind, id → key of the note
	prefixRoot   = 'r' // project, day, trace → head: the trace has notes
	prefixTalk   = 'y' // project, session, day → nothing: the session has notes of that day
)

// Kinds of notes.
const (
	kindScore   = 's'
	kindComment = 'c'
)

// maxNotes bounds the notes of one kind on one target.
const maxNotes = 1000

var _ span.Notes = (*Store)(nil)

// place is where the notes of a target are.
type noteSlot struct {
	project tenant.ProjectID
	day     span.Day
	trace   string // "" for a session
	span    string // or the hash of a session; "" for the trace itself
}

func slotOf(p tenant.ProjectID, d span.Day, t span.Target) noteSlot {
	if t.Trace != "" {
		return noteSlot{p, d, t.Trace, t.Span}
	}
	return noteSlot{p, d, "", hashed(t.Session)}
}

func hashed(s string) string { return span.HashOf([]byte(s)).String() }

func notesOf(p tenant.ProjectID, d span.Day, trace string) []byte {
	return appendString(dayKey(prefixNote, p, d, len(trace)+60), trace)
}

func (n noteSlot) prefix(kind byte) []byte {
	return append(appendString(notesOf(n.project, n.day, n.trace), n.span), kind)
}

func (n noteSlot) key(kind byte, id string) []byte {
	h := span.HashOf([]byte(id))
	return append(n.prefix(kind), h[:]...)
}

func noteIDKey(p tenant.ProjectID, kind byte, id string) []byte {
	h := span.HashOf([]byte(id))
	b := append(appendString([]byte{prefixNoteID}, string(p)), kind)
	return append(b, h[:]...)
}

func pastKey(p tenant.ProjectID, d span.Day, id string) []byte {
	h := span.HashOf([]byte(id))
	return append(dayKey(prefixPast, p, d, len(h)+8), h[:]...)
}

func rootKey(p tenant.ProjectID, d span.Day, trace string) []byte {
	return appendString(dayKey(prefixRoot, p, d, len(trace)+2), trace)
}

func talkKey(p tenant.ProjectID, session string) []byte {
	h := span.HashOf([]byte(session))
	return append(appendString([]byte{prefixTalk}, string(p)), h[:]...)
}

// dayOfNote reads the day out of a note's key.
func dayOfNote(key []byte, p tenant.ProjectID) span.Day {
	n := len(dayKey(prefixNote, p, 0, 0))
	return span.Day(binary.BigEndian.Uint32(key[n-4 : n]))
}

// PutScore implements span.Notes.
func (s *Store) PutScore(ctx context.Context, c *span.Score) error {
	if c.Project == "" || c.Name == "" || c.Target == (span.Target{}) {
		return fault.New(fault.Invalid, "a score needs a project, a target and a name")
	}
	s.noting.Lock()
	defer s.noting.Unlock()
	if err := s.nameScore(ctx, c); err != nil {
		return err
	}
	key, old, err := findNote[span.Score](s, c.Project, kindScore, c.ID)
	if err != nil {
		return err
	}
	if old != nil && old.Target != c.Target {
		return fault.New(fault.Conflict, "this id belongs to a score of something else")
	}
	now := s.o.Now().UTC()
	c.Created, c.Updated, c.Deleted = earliest(c.Created, now), earliest(c.Updated, now), false
	return s.writeNote(ctx, c.Project, c.Target, key, func(slot noteSlot, b *pebble.Batch) error {
		if old != nil {
			if err := s.archive(ctx, b, slot.day, old); err != nil {
				return err
			}
		}
		return setNote(b, slot, kindScore, c.ID, c)
	})
}

// earliest is t, or now where it is unset.
func earliest(t, now time.Time) time.Time {
	if t.IsZero() {
		return now
	}
	return t
}

// nameScore gives a score without an ID that of the one it replaces, or a new one.
func (s *Store) nameScore(ctx context.Context, c *span.Score) error {
	there, err := s.scoresAt(ctx, c.Project, c.Target)
	if err != nil || c.ID != "" {
		return err
	}
	if len(there) >= maxNotes {
		return fault.New(fault.TooLarge, "this has %d scores already", maxNotes)
	}
	for _, o := range there {
		if o.Name == c.Name && o.Source == c.Source && o.Author == c.Author {
			c.ID, c.Created = o.ID, o.Created
			return nil
		}
	}
	c.ID = id.New()
	return nil
}

// scoresAt are those of exactly one target.
func (s *Store) scoresAt(ctx context.Context, p tenant.ProjectID, t span.Target) ([]*span.Score, error) {
	all, err := s.Scores(ctx, p, t)
	return slices.DeleteFunc(all, func(c *span.Score) bool { return c.Target != t }), err
}

// archive keeps a version of a score as history.
func (s *Store) archive(ctx context.Context, b *pebble.Batch, day span.Day, versions ...*span.Score) error {
	prefix := pastKey(versions[0].Project, day, versions[0].ID)
	n := uint64(0)
	if err := s.each(ctx, prefix, after(prefix), func([]byte, []byte) (bool, error) { n++; return true, nil }); err != nil {
		return err
	}
	for _, v := range versions {
		value, err := jsonx.Marshal(v)
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "a score cannot be encoded")
		}
		if err := b.Set(binary.BigEndian.AppendUint64(slices.Clone(prefix), n), value, nil); err != nil {
			return broken(err)
		}
		n++
	}
	return nil
}

func setNote(b *pebble.Batch, slot noteSlot, kind byte, id string, v any) error {
	value, err := jsonx.Marshal(v)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "a note cannot be encoded")
	}
	key := slot.key(kind, id)
	if err := errors.Join(b.Set(key, value, nil), b.Set(noteIDKey(slot.project, kind, id), key, nil)); err != nil {
		return broken(err)
	}
	return nil
}

// findNote returns the key under which an id was used, and the note, which is nil once deleted.
func findNote[T any](s *Store, p tenant.ProjectID, kind byte, id string) (key []byte, note *T, err error) {
	key, err = s.get(noteIDKey(p, kind, id))
	if err != nil || key == nil {
		return nil, nil, err
	}
	_, err = s.view(key, func(v []byte) error {
		note = new(T)
		return readNote(v, note)
	})
	return key, note, err
}

func readNote(v []byte, note any) error {
	if err := jsonx.Unmarshal(v, note); err != nil {
		return fault.Wrap(fault.Internal, err, "a note cannot be read")
	}
	return nil
}

// Score implements span.Notes.
func (s *Store) Score(_ context.Context, p tenant.ProjectID, id string) (*span.Score, error) {
	return noteOf[span.Score](s, p, kindScore, id, "score")
}

func noteOf[T any](s *Store, p tenant.ProjectID, kind byte, id, what string) (*T, error) {
	_, note, err := findNote[T](s, p, kind, id)
	if err == nil && note == nil {
		err = fault.New(fault.NotFound, "%s not found", what)
	}
	return note, err
}

// DeleteScore implements span.Notes. Its history stays.
func (s *Store) DeleteScore(ctx context.Context, p tenant.ProjectID, id string) error {
	s.noting.Lock()
	defer s.noting.Unlock()
	old, err := s.Score(ctx, p, id)
	if err != nil {
		return err
	}
	key, err := s.get(noteIDKey(p, kindScore, id))
	if err != nil {
		return err
	}
	end := *old
	end.Deleted, end.Updated = true, s.o.Now().UTC()
	return s.writeNote(ctx, p, old.Target, key, func(slot noteSlot, b *pebble.Batch) error {
		return errors.Join(s.archive(ctx, b, slot.day, old, &end), b.Delete(key, nil))
	})
}

// ScoreHistory implements span.Notes.
func (s *Store) ScoreHistory(ctx context.Context, p tenant.ProjectID, id string) ([]*span.Score, error) {
	key, now, err := findNote[span.Score](s, p, kindScore, id)
	if err != nil {
		return nil, err
	}
	var out []*span.Score
	if key != nil {
		prefix := pastKey(p, dayOfNote(key, p), id)
		err = s.each(ctx, prefix, after(prefix), func(_, v []byte) (bool, error) {
			c := new(span.Score)
			out = append(out, c)
			return true, readNote(v, c)
		})
	}
	if now != nil {
		out = append(out, now)
	}
	if err == nil && len(out) == 0 {
		err = fault.New(fault.NotFound, "score not found")
	}
	slices.Reverse(out)
	return out, err
}

// PutComment implements span.Notes.
func (s *Store) PutComment(ctx context.Context, c *span.Comment) error {
	if c.Project == "" || c.ID == "" || c.Target == (span.Target{}) {
		return fault.New(fault.Invalid, "a comment needs a project, an id and a target")
	}
	s.noting.Lock()
	defer s.noting.Unlock()
	key, old, err := findNote[span.Comment](s, c.Project, kindComment, c.ID)
	if err != nil {
		return err
	}
	if old != nil && old.Target != c.Target {
		return fault.New(fault.Conflict, "this id belongs to a comment on something else")
	}
	if old == nil {
		there, err := s.Comments(ctx, c.Project, c.Target)
		if err != nil {
			return err
		}
		if len(there) >= maxNotes {
			return fault.New(fault.TooLarge, "this has %d comments already", maxNotes)
		}
	}
	return s.writeNote(ctx, c.Project, c.Target, key, func(slot noteSlot, b *pebble.Batch) error {
		return setNote(b, slot, kindComment, c.ID, c)
	})
}

// Comment implements span.Notes.
func (s *Store) Comment(_ context.Context, p tenant.ProjectID, id string) (*span.Comment, error) {
	return noteOf[span.Comment](s, p, kindComment, id, "comment")
}

// DeleteComment implements span.Notes.
func (s *Store) DeleteComment(ctx context.Context, p tenant.ProjectID, id string) error {
	s.noting.Lock()
	defer s.noting.Unlock()
	c, err := s.Comment(ctx, p, id)
	if err != nil {
		return err
	}
	key, err := s.get(noteIDKey(p, kindComment, id))
	if err != nil {
		return err
	}
	return s.writeNote(ctx, p, c.Target, key, func(_ noteSlot, b *pebble.Batch) error {
		return errors.Join(b.Delete(key, nil), b.Delete(noteIDKey(p, kindComment, id), nil))
	})
}

// Scores implements span.Notes.
func (s *Store) Scores(ctx context.Context, p tenant.ProjectID, t span.Target) ([]*span.Score, error) {
	out, err := notesAt[span.Score](ctx, s, p, t, kindScore)
	slices.SortFunc(out, func(a, b *span.Score) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return out, err
}

// Comments implements span.Notes.
func (s *Store) Comments(ctx context.Context, p tenant.ProjectID, t span.Target) ([]*span.Comment, error) {
	out, err := notesAt[span.Comment](ctx, s, p, t, kindComment)
	slices.SortFunc(out, func(a, b *span.Comment) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return out, err
}

// notesAt are the notes of a target; of a trace with those of its spans.
func notesAt[T any](ctx context.Context, s *Store, p tenant.ProjectID, t span.Target, kind byte) (out []*T, err error) {
	if t.Trace == "" {
		days, err := s.talkDays(ctx, p, t.Session)
		for _, d := range days {
			if out, err = rangeNotes(ctx, s, slotOf(p, d, t).prefix(kind), kind, out); err != nil {
				return nil, err
			}
		}
		return out, err
	}
	day, err := s.storedHome(traceKey(p, t.Trace))
	if err != nil || day == nil {
		return nil, err
	}
	if t.Span != "" {
		return rangeNotes(ctx, s, slotOf(p, *day, t).prefix(kind), kind, out)
	}
	return rangeNotes(ctx, s, notesOf(p, *day, t.Trace), kind, out)
}

func (s *Store) talkDays(ctx context.Context, p tenant.ProjectID, session string) (days []span.Day, err error) {
	prefix := talkKey(p, session)
	err = s.each(ctx, prefix, after(prefix), func(k, _ []byte) (bool, error) {
		days = append(days, span.Day(binary.BigEndian.Uint32(k[len(prefix):])))
		return true, nil
	})
	return days, err
}

// rangeNotes adds the notes of a kind whose keys start with prefix.
func rangeNotes[T any](ctx context.Context, s *Store, prefix []byte, kind byte, out []*T) ([]*T, error) {
	err := s.each(ctx, prefix, after(prefix), func(k, v []byte) (bool, error) {
		if k[len(k)-len(span.Hash{})-1] != kind {
			return true, nil
		}
		note := new(T)
		out = append(out, note)
		return true, readNote(v, note)
	})
	return out, err
}

// Bounds of ScoreNames.
const (
	namedScores   = 20_000 // scores looked at
	maxCategories = 50
)

// ScoreNames implements span.Notes.
func (s *Store) ScoreNames(ctx context.Context, p tenant.ProjectID) ([]span.ScoreName, error) {
	prefix := appendString([]byte{prefixNote}, string(p))
	it, err := s.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return nil, broken(err)
	}
	defer func() { _ = it.Close() }() // its error is Error's
	names, latest := map[string]*span.ScoreName{}, map[string]time.Time{}
	for n, ok := 0, it.Last(); ok && n < namedScores; ok = it.Prev() {
		if k := it.Key(); k[len(k)-len(span.Hash{})-1] != kindScore {
			continue
		}
		var c span.Score
		if err := readNote(it.Value(), &c); err != nil {
			return nil, err
		}
		n++
		addName(names, latest, &c)
	}
	if err := it.Error(); err != nil {
		return nil, broken(err)
	}
	out := make([]span.ScoreName, 0, len(names))
	for _, n := range names {
		slices.Sort(n.Categories)
		out = append(out, *n)
	}
	slices.SortFunc(out, func(a, b span.ScoreName) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

func addName(names map[string]*span.ScoreName, latest map[string]time.Time, c *span.Score) {
	n := names[c.Name]
	if n == nil {
		n = &span.ScoreName{Name: c.Name}
		names[c.Name] = n
	}
	n.Count++
	if n.Type == "" || c.Updated.After(latest[c.Name]) {
		n.Type, latest[c.Name] = c.Type, c.Updated
	}
	if c.Type == span.Categorical && len(n.Categories) < maxCategories && !slices.Contains(n.Categories, c.Text) {
		n.Categories = append(n.Categories, c.Text)
	}
}
