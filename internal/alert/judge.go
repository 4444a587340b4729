package alert

import (
	"slices"
	"time"

	"weir/internal/query"
)

// reading is what an evaluation found of a group.
type reading struct {
	value *float64
	spans int64
	err   string // why there is no figure
}

func (r *Rule) read(f query.Figures, m query.Measure) reading {
	got := reading{spans: f.Calls}
	if v, ok := valueOf(f, m, r.Window); ok {
		got.value = &v
	}
	return got
}

// nothing is the reading of a group without spans.
func (r *Rule) nothing(m query.Measure) reading {
	if slices.Contains(sums, m) {
		return reading{value: new(0.0)}
	}
	return reading{}
}

// notice is what people are told.
type notice string

const (
	silent    notice = ""
	fires     notice = "firing"
	recovered notice = "recovered"
)

// judge is how a group stands after a reading, and what people are to be told of it. Told and Notified are left to the
// one who tells them.
func (r *Rule) judge(now time.Time, was Standing, got reading) (is Standing, n notice) {
	is = was
	is.State, is.Reason, is.Value = r.stateOf(got)
	if is.State != was.State || was.Since.IsZero() {
		is.Since = now
	}
	if got.spans > 0 || was.Seen.IsZero() {
		is.Seen = now
	}
	switch {
	case is.State == Failed: // nothing is known: neither that it fires nor that it is over
		return is, silent
	case r.alarms(is.State, got):
		if was.Told && r.Cooldown == 0 || now.Before(r.Snoozed) || !was.Notified.IsZero() && now.Before(was.Notified.Add(r.Cooldown)) {
			return is, silent
		}
		return is, fires
	case was.Told:
		return is, recovered
	}
	return is, silent
}

func (r *Rule) stateOf(got reading) (State, string, *float64) {
	switch {
	case got.err != "":
		return Failed, got.err, nil
	case got.spans == 0 && r.NoData == "alert":
		return NoData, "no spans in the window", nil
	case got.spans < r.MinCalls:
		return NoData, "fewer spans than min_calls in the window", got.value
	case got.value == nil:
		return NoData, "no spans in the window that have the figure", nil
	case r.crossed(*got.value):
		return Firing, "", got.value
	}
	return OK, "", got.value
}

func (r *Rule) crossed(v float64) bool {
	if r.Op == "<" {
		return v < r.Threshold
	}
	return v > r.Threshold
}

// alarms reports whether people should know of a state.
func (r *Rule) alarms(s State, got reading) bool {
	return s == Firing || s == NoData && got.spans == 0 && r.NoData == "alert"
}

// tell notes what people were told. With a cooldown of 0 they are told once each time it begins.
func (s *Standing) tell(n notice, now time.Time, reached bool, cooldown time.Duration) {
	switch {
	case n == recovered:
		s.Told = false
	case n == fires && reached:
		s.Told, s.Notified = true, now
	case n == fires: // nobody could be told: soon again, but not at every evaluation
		s.Notified = now.Add(unreached - cooldown)
	}
}

// unreached is how long channels that all failed are left alone.
const unreached = 5 * time.Minute

// worst is how a rule stands by its groups.
func worst(all []Standing) (State, string) {
	rank := []State{OK, NoData, Failed, Firing}
	state, reason := OK, ""
	for _, s := range all {
		if slices.Index(rank, s.State) > slices.Index(rank, state) {
			state, reason = s.State, s.Reason
		}
	}
	return state, reason
}
