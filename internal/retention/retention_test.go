package retention

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"weir/internal/span"
	"weir/internal/tenant"
)

type drops struct {
	days map[tenant.ProjectID]map[span.Day]bool
	fail error
}

func (d *drops) DropDay(_ context.Context, p tenant.ProjectID, day span.Day) error {
	if d.fail != nil {
		return d.fail
	}
	if d.days[p] == nil {
		d.days[p] = map[span.Day]bool{}
	}
	d.days[p][day] = true
	return nil
}

func TestKeeper(t *testing.T) {
	now := time.Date(2026, 3, 10, 1, 0, 0, 0, time.UTC)
	today := span.DayOf(now)
	d := &drops{days: map[tenant.ProjectID]map[span.Day]bool{}, fail: errors.New("index is being built")}
	k := New(d, func(context.Context) (map[tenant.ProjectID]int, error) {
		return map[tenant.ProjectID]int{"p": 7, "all": 0}, nil
	},
		slog.New(slog.DiscardHandler), func() time.Time { return now }, 0)
	if k.runOnce(t.Context()) == nil {
		t.Fatal("a failed drop must be reported")
	}
	d.fail = nil
	if err := k.runOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !d.days["p"][today-8] || !d.days["p"][today-400] || d.days["p"][today-7] || len(d.days["all"]) != 0 {
		t.Errorf("dropped 8 days ago %v, 400 days ago %v, 7 days ago %v", d.days["p"][today-8], d.days["p"][today-400], d.days["p"][today-7])
	}
	clear(d.days["p"])
	now = now.Add(48 * time.Hour)
	if err := k.runOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(d.days["p"]) != 3 || !d.days["p"][today-6] {
		t.Errorf("two days later dropped %v, want the last day again and two more", d.days["p"])
	}
}
