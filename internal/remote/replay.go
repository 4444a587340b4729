package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Replay asks for a call to be sent again.
type Replay struct {
	Target string   // trace, or trace/span
	Model  string   // "" = the recorded one
	Set    []string // name=value; a value that is not JSON is a text, none takes the parameter away
	System *string
	Out    io.Writer
	Style  Style
}

type replayed struct {
	Trace     string `json:"trace"`
	Span      string `json:"span"`
	Status    string `json:"status"`
	ErrorText string `json:"error_text"`
	Replays   string `json:"replays"`
}

// ErrFailed is the replayed call's own failure; what it says has been shown.
var ErrFailed = errors.New("the replayed call failed")

// Replay sends a call again and shows what came out differently. The error is ErrFailed if the new call failed.
func (c *Client) Replay(ctx context.Context, r Replay) error {
	body, err := r.request()
	if err != nil {
		return err
	}
	var got replayed
	if err := c.call(ctx, http.MethodPost, "/replay", body, &got); err != nil {
		return err
	}
	fmt.Fprintf(r.Out, "replayed %s\n      as %s/%s  %s\n", got.Replays, got.Trace, got.Span, got.Status)
	if got.ErrorText != "" {
		fmt.Fprintf(r.Out, "         %s\n", r.Style.paint(red, flat(got.ErrorText)))
	}
	var d diff
	if err := c.call(ctx, http.MethodGet, "/diff?a="+url.QueryEscape(got.Replays)+"&b="+url.QueryEscape(got.Trace+"/"+got.Span), nil, &d); err != nil {
		return fmt.Errorf("the call was replayed, but not compared: %w", err)
	}
	if _, err = io.WriteString(r.Out, r.Style.diff(&d)); err == nil && got.Status != "ok" {
		err = ErrFailed
	}
	return err
}

func (r *Replay) request() (map[string]any, error) {
	trace, span, _ := strings.Cut(r.Target, "/")
	body := map[string]any{"trace": trace}
	if span != "" {
		body["span"] = span
	}
	if r.Model != "" {
		body["model"] = r.Model
	}
	if r.System != nil {
		body["prompt"] = map[string]string{"system": *r.System}
	}
	params := map[string]any{}
	for _, kv := range r.Set {
		name, value, ok := strings.Cut(kv, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--set %s: write name=value", kv)
		}
		switch {
		case value == "":
			params[name] = nil
		case json.Valid([]byte(value)):
			params[name] = json.RawMessage(value)
		default:
			params[name] = value
		}
	}
	if len(params) > 0 {
		body["params"] = params
	}
	return body, nil
}

// diff is what is shown of a comparison.
type diff struct {
	A, B  figures
	Delta figures
	Rows  []struct {
		Op    string   `json:"op"`
		Depth int      `json:"depth"`
		A     *row     `json:"a"`
		B     *row     `json:"b"`
		Parts []change `json:"parts"`
	}
	Notes []string
}

type figures struct {
	DurationMS float64 `json:"duration_ms"`
	CostUSD    float64 `json:"cost_usd"`
	Tokens     int64   `json:"tokens"`
}

type change struct {
	What   string          `json:"what"`
	Path   string          `json:"path"`
	Op     string          `json:"op"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
	Words  [][2]string     `json:"words"`
}

func (s Style) diff(d *diff) string {
	var b strings.Builder
	line := func(name, before, after, delta string) {
		fmt.Fprintf(&b, "  %-9s %12s → %-12s %s\n", name, before, after, s.paint(dim, delta))
	}
	line("duration", duration(d.A.DurationMS), duration(d.B.DurationMS), signed(d.Delta.DurationMS, duration))
	line("tokens", fmt.Sprint(d.A.Tokens), fmt.Sprint(d.B.Tokens), fmt.Sprintf("%+d", d.Delta.Tokens))
	line("cost", dollars(d.A.CostUSD), dollars(d.B.CostUSD), signed(d.Delta.CostUSD, dollars))
	changes := 0
	for _, r := range d.Rows {
		for _, c := range r.Parts {
			changes++
			fmt.Fprintf(&b, "  %s %s\n    %s\n", c.What, s.paint(dim, c.Path), s.change(&c))
		}
	}
	if changes == 0 {
		b.WriteString("  nothing else differs\n")
	}
	for _, n := range d.Notes {
		fmt.Fprintf(&b, "  note: %s\n", n)
	}
	return b.String()
}

func signed(v float64, f func(float64) string) string {
	switch {
	case v < 0:
		return "-" + f(-v)
	case v > 0:
		return "+" + f(v)
	}
	return "±0"
}

// shown bounds a value on the screen, in columns.
const shown = 600

func (s Style) change(c *change) string {
	if len(c.Words) == 0 {
		switch c.Op {
		case "added":
			return s.paint(green, "+ "+cut(value(c.After), shown))
		case "removed":
			return s.paint(red, "- "+cut(value(c.Before), shown))
		}
		return s.paint(red, cut(value(c.Before), shown)) + " → " + s.paint(green, cut(value(c.After), shown))
	}
	var b strings.Builder
	for _, w := range c.Words {
		text := clean(strings.ReplaceAll(w[1], "\n", " "))
		switch w[0] {
		case "-":
			b.WriteString(s.paint(red, "[-"+cut(text, shown)+"-]"))
		case "+":
			b.WriteString(s.paint(green, "{+"+cut(text, shown)+"+}"))
		case "=":
			b.WriteString(around(text))
		default:
			b.WriteString(" … ")
		}
	}
	return b.String()
}

// around keeps the ends of an equal run, which are beside what differs.
func around(s string) string {
	const keep = 40
	r := []rune(s)
	if len(r) <= 2*keep {
		return s
	}
	return string(r[:keep]) + " … " + string(r[len(r)-keep:])
}

func value(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return flat(s)
	}
	return flat(string(raw))
}
