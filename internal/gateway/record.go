package gateway

import (
	"time"

	"weir/internal/money"
	"weir/internal/pricing"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Costing is the cost of an answer, once it is known; streams know it only at their end.
type Costing = pricing.Cost

// Recorder takes what happened and loses none of it.
type Recorder interface {
	// Admit refuses new calls (fault.Unavailable or fault.RateLimited, with RetryAfter) while the record of running
	// ones is at risk: queue full, disk low.
	Admit() error
	// Begin notes that a call is about to be dialled. When it returns, the note survives a kill of the process.
	Begin(Intent) error
	// End hands over the finished call. It returns at once unless the queue is full; it never drops. The record
	// belongs to the recorder from then on.
	End(*Record)
}

// Intent is the note of a call in flight. A call whose end was never recorded becomes an interrupted span settled at
// its reservation.
type Intent struct {
	Trace, Span string
	Project     tenant.ProjectID
	Key         tenant.KeyID
	User        tenant.UserID
	Team        tenant.TeamID
	Group       string
	Deployment  string
	Start       time.Time
	Reserved    money.Nano
}

// Record is a finished call.
type Record struct {
	Span     *span.Span // without Day, Input and Output refs, and without Session if it must be threaded
	Request  []byte     // exact body as received; nil if bodies are not recorded
	Response []byte     // whole answer in the client's dialect; nil if there was none
	Charge   bool       // write a ledger entry
	NewTrace bool       // the trace's id was made for this call
}
