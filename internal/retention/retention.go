// Package retention drops whole days of traces once they are older than their project keeps them. The ledger stays.
package retention

import (
	"context"
	"log/slog"
	"time"

	"weir/internal/job"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Dropper removes all traces of a project whose home is a day; dropping an empty day is cheap and harmless.
type Dropper interface {
	DropDay(ctx context.Context, p tenant.ProjectID, day span.Day) error
}

// Days tells how many days each project keeps; projects that keep everything are left out.
type Days func(ctx context.Context) (map[tenant.ProjectID]int, error)

// Keeper drops days on a schedule.
type Keeper struct {
	drop  Dropper
	days  Days
	log   *slog.Logger
	now   func() time.Time
	loop  *job.Loop
	swept map[tenant.ProjectID]span.Day // newest day dropped by this process
}

// reach is how far back the first sweep of a project looks: days that a stopped server did not drop.
const reach = 5 * 366

// New returns a Keeper; now nil means time.Now, every 0 means each ten minutes.
func New(drop Dropper, days Days, log *slog.Logger, now func() time.Time, every time.Duration) *Keeper {
	if now == nil {
		now = time.Now
	}
	if every == 0 {
		every = 10 * time.Minute
	}
	k := &Keeper{drop: drop, days: days, log: log, now: now, swept: map[tenant.ProjectID]span.Day{}}
	k.loop = job.New(every, k.sweep)
	return k
}

// Start begins to sweep.
func (k *Keeper) Start(ctx context.Context) error { return k.loop.Start(ctx) }

// Stop ends the sweeps; one under way is cut short between two days.
func (k *Keeper) Stop() { k.loop.Stop() }

func (k *Keeper) sweep(ctx context.Context) {
	if err := k.runOnce(ctx); err != nil && ctx.Err() == nil {
		k.log.Warn("retention is tried again later", "error", err)
	}
}

// runOnce drops every day that has become too old since the last run. A day is kept until it is over by the full number
// of days: with 1, yesterday stays.
func (k *Keeper) runOnce(ctx context.Context) error {
	keep, err := k.days(ctx)
	if err != nil {
		return err
	}
	today := span.DayOf(k.now())
	for p, days := range keep {
		if days <= 0 || span.Day(days) >= today {
			continue
		}
		last := today - span.Day(days) - 1
		from, ok := k.swept[p]
		if !ok {
			from = last - min(last, reach)
		}
		for day := from; day <= last; day++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := k.drop.DropDay(ctx, p, day); err != nil {
				return err
			}
		}
		if !ok || from < last {
			k.log.Info("old traces dropped", "project", string(p), "up_to", last.Time().Format(time.DateOnly))
		}
		k.swept[p] = last
	}
	return nil
}
