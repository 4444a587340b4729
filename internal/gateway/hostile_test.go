package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"weir/internal/fault"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/span"
	"weir/internal/tenant"
)

// A text of nested brackets in metadata.user_id passes every check of the body, since there it is only a string.
func TestDeepUserIDDoesNotExhaustTheStack(t *testing.T) {
	body := `{"metadata":{"user_id":"{\"a\":` + strings.Repeat("[", 8<<20) + `"}}`
	if f := FactsFrom(http.Header{}, "", []byte(body), llm.AnthropicMessages); f.Session != "" || len(f.EndUser) > 2*maxIDLen {
		t.Errorf("session %q, end user of %d bytes", f.Session, len(f.EndUser))
	}
}

func TestFallbacksOfAClientAreBounded(t *testing.T) {
	body := `{"fallbacks":["` + strings.Repeat(`m","`, 1000) + `m"]}`
	if f := FactsFrom(http.Header{}, "", []byte(body), llm.OpenAIChat); len(f.Fallbacks) != maxFallbacks {
		t.Errorf("%d fallbacks", len(f.Fallbacks))
	}
}

// ledger is a Limiter that remembers what was reserved and settled.
type ledger struct{ reserved, settled []money.Nano }

func (l *ledger) Reserve(_ *tenant.Identity, cost money.Nano, _ int64) (func(money.Nano, int64), error) {
	l.reserved = append(l.reserved, cost)
	return func(cost money.Nano, _ int64) { l.settled = append(l.settled, cost) }, nil
}

func (*ledger) Count(*tenant.Identity) error { return nil }

// patterns is a gateway whose deployments below "x/*" are made on demand, at the prices of priced.
func patterns(ups ...Upstream) (*Gateway, *tape, *ledger) {
	rec, limiter := &tape{}, &ledger{}
	var ds []*Deployment
	for i, u := range ups {
		ds = append(ds, &Deployment{ID: fmt.Sprint("p", i), Group: "x/*", Target: Target{Provider: "test", Model: "*"}, Upstream: u, Weight: float64(1000 * (len(ups) - i))})
	}
	g := New(Deps{Recorder: rec, Limiter: limiter, Log: slog.New(slog.DiscardHandler), Resolve: func(p *Deployment, star string) (*Deployment, error) {
		d := *p
		d.ID, d.Group, d.Target.Model, d.Model = p.ID+star, "x/"+star, star, priced
		return &d, nil
	}})
	g.Swap(NewTable(ds, DefaultPolicy()))
	return g, rec, limiter
}

func TestReservationBelowAPatternHasThePriceOfTheModel(t *testing.T) {
	g, _, limiter := patterns(&script{steps: []step{says("ok")}})
	if _, err := g.Do(t.Context(), call("x/some", false)); err != nil {
		t.Fatal(err)
	}
	if len(limiter.reserved) != 1 || limiter.reserved[0] < priced.Prices.Output.Of(4096) || len(limiter.settled) != 1 {
		t.Errorf("reserved %v, settled %v", limiter.reserved, limiter.settled)
	}
}

func TestCooldownBelowAPattern(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := &script{steps: []step{fails(500, "x")}}
		g, _, _ := patterns(bad, &script{steps: []step{says("ok")}})
		for range 20 {
			if _, err := g.Do(t.Context(), call("x/some", false)); err != nil {
				t.Fatal(err)
			}
		}
		if n := bad.calls(); n > 4 {
			t.Errorf("the failing deployment was tried %d times", n)
		}
	})
}

func TestNamesBelowAPatternAreKeptInBounds(t *testing.T) {
	g, _, _ := patterns(&script{steps: []step{says("ok")}})
	for i := range maxTracked + 100 {
		if _, err := g.Do(t.Context(), call(fmt.Sprint("x/", i), false)); err != nil {
			t.Fatal(err)
		}
	}
	count := func(m interface{ Range(func(k, v any) bool) }) (n int) {
		m.Range(func(_, _ any) bool { n++; return true })
		return n
	}
	if h, r := count(&g.health), count(&g.Table().resolved); h > maxTracked+1 || r > maxResolved {
		t.Errorf("%d healths and %d deployments are kept", h, r)
	}
}

func TestPanicClosesTheBooks(t *testing.T) {
	g, rec, limiter := patterns(&script{steps: []step{func(context.Context, *Attempt) (*Result, error) { panic("bug") }}})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed; the edge answers and logs it")
			}
		}()
		_, _ = g.Do(t.Context(), call("x/some", false))
	}()
	if s := rec.only(t); s.Status != span.Error || len(limiter.settled) != 1 || g.InFlight() != 0 {
		t.Errorf("span %+v, settled %v, in flight %d", s, limiter.settled, g.InFlight())
	}
}

func TestPanicOverAStreamDoesNotEndTheProcess(t *testing.T) {
	src := &frames{steps: []any{func() error { panic("bug") }}}
	g, rec, _ := patterns(&script{steps: []step{func(context.Context, *Attempt) (*Result, error) { return &Result{Stream: src}, nil }}})
	if _, err := g.Do(t.Context(), call("x/some", true)); !fault.Is(err, fault.Internal) {
		t.Errorf("error %v", err)
	}
	if s := rec.only(t); s.Status != span.Error || !src.closed {
		t.Errorf("span %+v, source closed %v", s, src.closed)
	}
}

func TestViewersCallNoModels(t *testing.T) {
	g, _, limiter := patterns(&script{steps: []step{says("ok")}})
	c := call("x/some", false)
	c.Who = &tenant.Identity{Project: "p", User: "u", Role: tenant.RoleViewer}
	if _, err := g.Do(t.Context(), c); !fault.Is(err, fault.Forbidden) || len(limiter.reserved) != 0 {
		t.Errorf("error %v, reserved %v", err, limiter.reserved)
	}
	if _, err := g.CountTokens(t.Context(), c); !fault.Is(err, fault.Forbidden) {
		t.Errorf("count: %v", err)
	}
}

// full is a Limiter without room.
type full struct{}

func (full) Reserve(*tenant.Identity, money.Nano, int64) (func(money.Nano, int64), error) {
	return nil, fault.New(fault.BudgetExceeded, "over budget")
}
func (full) Count(*tenant.Identity) error { return fault.New(fault.RateLimited, "too many counts") }

func TestCountingIsLimited(t *testing.T) {
	g, _ := rig(t, DefaultPolicy(), map[string]*script{"m": {}})
	if n, err := g.CountTokens(t.Context(), call("m", false)); err != nil || n == 0 {
		t.Errorf("without limits: %d, %v", n, err)
	}
	g.deps.Limiter = full{}
	if _, err := g.CountTokens(t.Context(), call("m", false)); !fault.Is(err, fault.RateLimited) {
		t.Errorf("over the limit: %v", err)
	}
}

func TestCallsOverALimitAreRecordedWithoutTheirBody(t *testing.T) {
	g, rec := rig(t, DefaultPolicy(), map[string]*script{"m": {steps: []step{says("x")}}})
	g.deps.Limiter = full{}
	if _, err := g.Do(t.Context(), call("m", false)); !fault.Is(err, fault.BudgetExceeded) {
		t.Fatal(err)
	}
	if s := rec.only(t); s.ErrorType != string(fault.BudgetExceeded) || rec.records[0].Request != nil {
		t.Errorf("span %+v, body %s", s, rec.records[0].Request)
	}
}

func TestRecordHidesPrivateCauses(t *testing.T) {
	cause := fmt.Errorf("dial internal-host:443")
	up := &script{steps: []step{func(context.Context, *Attempt) (*Result, error) {
		return nil, &llm.Error{Provider: "test", Status: 401, Message: "no credentials", Err: cause}
	}}}
	g, rec := rig(t, DefaultPolicy(), map[string]*script{"m": up})
	_, _ = g.Do(t.Context(), call("m", false))
	if s := rec.only(t); len(s.Tries) != 1 || s.Tries[0].Error != "no credentials" || strings.Contains(s.ErrorText, "internal-host") {
		t.Errorf("tries %+v, text %q", s.Tries, s.ErrorText)
	}
}

func TestWhatAClientNamesIsBounded(t *testing.T) {
	g, rec := rig(t, DefaultPolicy(), map[string]*script{"m": {steps: []step{says("x")}}})
	_, err := g.Do(t.Context(), call(strings.Repeat("m", 1<<20), false))
	if !fault.Is(err, fault.Invalid) || len(err.Error()) > 1000 {
		t.Errorf("error of %d bytes", len(err.Error()))
	}
	if s := rec.only(t); len(s.Group) > 2*maxModelName || len(s.Name) > 2*maxModelName || len(s.ErrorText) > 1000 {
		t.Errorf("model of %d bytes, name of %d, error of %d", len(s.Group), len(s.Name), len(s.ErrorText))
	}
	body := `{` + strings.Repeat(`"stop":"`+strings.Repeat("x", 4000)+`",`, 1000) + `"a":1}`
	if f := FactsFrom(http.Header{}, "", []byte(body), llm.OpenAIChat); len(f.Params) > maxParams+100 {
		t.Errorf("parameters of %d bytes", len(f.Params))
	}
}
