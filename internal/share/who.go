package share

import (
	"regexp"
	"strings"

	"weir/internal/jsonx"
	"weir/internal/span"
)

// naming is what keys are called whose values tell who made a call, by any dialect's convention.
var naming = regexp.MustCompile(`(?i)(^|[._-])(end_?user|user|session|conversation|thread|account|customer|device)s?([._-]?(id|name|uuid))?$` +
	`|e-?mail$|client\.address$|(client|peer|remote)[._-]?(ip|addr)$|forwarded[._-]for$`)

// minPart is the length from which a hidden value is looked for within texts; shorter ones are found by chance.
const minPart = 6

// who is what one span says of its caller, wherever else it repeats it.
type who []string

func whoOf(s *span.Span) (w who) {
	for _, v := range []string{string(s.User), s.Email, s.EndUser, string(s.Key), s.KeyAlias, string(s.Team), s.TeamAlias, s.Session, s.IP, s.RequestID, s.Upstream} {
		if v != "" {
			w = append(w, v)
		}
	}
	return w
}

func (w who) in(text string) bool {
	for _, v := range w {
		if text == v || len(v) >= minPart && strings.Contains(text, v) {
			return true
		}
	}
	return false
}

// without is a JSON object without members that name the caller, however deep they lie.
func (w who) without(object jsonx.Raw) jsonx.Raw {
	if len(object) == 0 {
		return object
	}
	var v map[string]any
	if jsonx.Unmarshal(object, &v) != nil {
		return nil
	}
	w.prune(v)
	b, err := jsonx.Marshal(v)
	if err != nil {
		return nil
	}
	return b
}

func (w who) prune(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, x := range v {
			if text, ok := x.(string); naming.MatchString(key) || ok && w.in(text) {
				delete(v, key)
				continue
			}
			w.prune(x)
		}
	case []any:
		for i, x := range v {
			if text, ok := x.(string); ok && w.in(text) {
				v[i] = nil
				continue
			}
			w.prune(x)
		}
	}
}

func (w who) withoutTags(tags []string) (out []string) {
	for _, t := range tags {
		if !w.in(t) {
			out = append(out, t)
		}
	}
	return out
}

func (w who) withoutEvents(events []span.Moment) []span.Moment {
	out := make([]span.Moment, len(events))
	for i, e := range events {
		e.Attributes = w.without(e.Attributes)
		out[i] = e
	}
	return out
}

func (w who) withoutLinks(links []span.Link) []span.Link {
	out := make([]span.Link, len(links))
	for i, l := range links {
		l.Attributes = w.without(l.Attributes)
		out[i] = l
	}
	return out
}

// callerFields are the members of a request in which clients tell the provider who calls: Anthropic's metadata.user_id,
// OpenAI's user and its successors.
var callerFields = []string{"user", "metadata", "safety_identifier", "prompt_cache_key"}

// Body is a recorded request or answer as it is shared: to the byte, unless it is an object that names the caller.
func Body(b []byte) []byte {
	var v map[string]jsonx.Raw
	if jsonx.Unmarshal(b, &v) != nil {
		return b
	}
	n := len(v)
	for _, name := range callerFields {
		delete(v, name)
	}
	if len(v) == n {
		return b
	}
	return jsonx.MustMarshal(v)
}
