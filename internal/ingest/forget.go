package ingest

import "context"

// Forget drops what is remembered of stored content and of conversations, since some of it was erased, and the notes of
// calls that have ended. The writer does the first before its next commit; one under way is refused by the store if it
// relies on what is gone, and prepared again.
func (r *Recorder) Forget(context.Context) error {
	r.forget.Store(true)
	return r.intents.tidy()
}

func (r *Recorder) forgetIfAsked() {
	if r.forget.Swap(false) {
		r.bodies.known.reset()
		r.threads = newThreads(r.threads.kv)
	}
}

// tidy leaves only the notes of calls that have not ended.
func (l *intentLog) tidy() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	return l.rewrite(l.room())
}
