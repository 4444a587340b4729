package ingest

import (
	"sync"
	"time"

	"weir/internal/gateway"
)

// queue holds ended calls until the writer takes them. It is bounded in calls and bytes; put blocks while it is full.
// One record larger than the whole bound is let in alone.
type queue struct {
	mu       sync.Mutex
	notFull  *sync.Cond
	wake     chan struct{} // capacity 1: something changed for the writer
	items    []*gateway.Record
	bytes    int
	maxItems int
	maxBytes int
	hurry    bool // do not gather
	// wantItems and wantBytes are what the taker gathers for; below them only the first record wakes it.
	wantItems, wantBytes int
	closed               bool
}

func newQueue(items, bytes int) *queue {
	q := &queue{maxItems: items, maxBytes: bytes, wake: make(chan struct{}, 1)}
	q.notFull = sync.NewCond(&q.mu)
	return q
}

// recordOverhead stands for a span in the byte count.
const recordOverhead = 1 << 10

func sizeOf(r *gateway.Record) int { return len(r.Request) + len(r.Response) + recordOverhead }

// put is false if the queue is closed.
func (q *queue) put(r *gateway.Record) bool {
	size := sizeOf(r)
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.closed && len(q.items) > 0 && (len(q.items) >= q.maxItems || q.bytes+size > q.maxBytes) {
		q.notFull.Wait()
	}
	if q.closed {
		return false
	}
	q.items = append(q.items, r)
	q.bytes += size
	if len(q.items) == 1 || len(q.items) >= q.wantItems || q.bytes >= q.wantBytes {
		q.signal()
	}
	return true
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take waits for records, then up to gather for more, and returns at most n of them or about maxBytes. It returns nil
// once the queue is closed and empty. There is one taker.
func (q *queue) take(n, maxBytes int, gather time.Duration) []*gateway.Record {
	var timer <-chan time.Time
	for {
		q.mu.Lock()
		q.wantItems, q.wantBytes = n, maxBytes
		ready := len(q.items) > 0
		full := len(q.items) >= n || q.bytes >= maxBytes || q.hurry || q.closed
		if ready && full {
			defer q.mu.Unlock()
			return q.cut(n, maxBytes)
		}
		closed := q.closed
		q.mu.Unlock()
		if closed {
			return nil
		}
		if ready && timer == nil {
			t := time.NewTimer(gather)
			defer t.Stop()
			timer = t.C
		}
		select {
		case <-q.wake:
		case <-timer:
			q.mu.Lock()
			defer q.mu.Unlock()
			return q.cut(n, maxBytes)
		}
	}
}

// cut removes the records of one commit; the lock is held.
func (q *queue) cut(n, maxBytes int) []*gateway.Record {
	size, k := 0, 0
	for k < len(q.items) && k < n && (k == 0 || size < maxBytes) {
		size += sizeOf(q.items[k])
		k++
	}
	out := q.items[:k:k]
	q.items = q.items[k:]
	if len(q.items) == 0 {
		q.items, q.hurry = nil, false
	}
	q.bytes -= size
	q.notFull.Broadcast()
	if len(q.items) > 0 {
		q.signal()
	}
	return out
}

// flush has what is in the queue taken without gathering.
func (q *queue) flush() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) > 0 {
		q.hurry = true
		q.signal()
	}
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.notFull.Broadcast()
	q.signal()
}

// depth is the number of records, and whether three quarters of either bound are used.
func (q *queue) depth() (n int, high bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items), len(q.items) >= q.maxItems*3/4 || q.bytes >= q.maxBytes*3/4
}
