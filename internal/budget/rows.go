package budget

import (
	"context"

	"weir/internal/money"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Rows keep what the ledger adds up to. They are derived: replaying the ledger from position 0 rebuilds them.
type Rows interface {
	// Applied is the sequence of the last ledger entry applied.
	Applied(ctx context.Context) (uint64, error)
	// Apply adds entries, in order of sequence, in one transaction with the new position. Entries at or below the
	// position are skipped, so a replay may overlap.
	Apply(ctx context.Context, entries []span.LedgerEntry) error
	// Spends are the counters of all accounts that ever spent.
	Spends(ctx context.Context) ([]AccountSpend, error)
	// Daily are the roll-ups of a project, oldest day first.
	Daily(ctx context.Context, q DailyQuery) ([]Daily, error)
	// DailyTags are the roll-ups by tag; a call with several tags counts under each.
	DailyTags(ctx context.Context, q DailyQuery) ([]Daily, error)
}

// AccountSpend is the spend of one account.
type AccountSpend struct {
	Scope tenant.Scope
	ID    string
	Spend
}

// DailyQuery bounds roll-ups: days From up to and including To (0 = open). Empty fields do not filter; DailyTags
// knows no Key, User, Team and Model.
type DailyQuery struct {
	Project  tenant.ProjectID
	From, To span.Day
	Key      tenant.KeyID
	User     tenant.UserID
	Team     tenant.TeamID
	Model    string
	Tag      string
}

// Daily is one roll-up. Tag is set by DailyTags only; Key, User, Team and Model by Daily only.
type Daily struct {
	Day           span.Day
	Project       tenant.ProjectID
	Key           tenant.KeyID
	User          tenant.UserID
	Team          tenant.TeamID
	Model         string
	Tag           string
	Calls, Failed int64
	Input         int64 // tokens, as are the next
	CacheRead     int64
	CacheWrite    int64
	CacheWrite1h  int64
	Output        int64
	Cost          money.Nano
}
