package duckdb

/*
#include <stdbool.h>

// Of duckdb.h, which the driver does not hand on: a thread that works off the engine's tasks until it is told to stop.
void *duckdb_create_task_state(void *database);
void duckdb_execute_tasks_state(void *state);
void duckdb_finish_execution(void *state);
void duckdb_destroy_task_state(void *state);
*/
import "C"

import (
	"fmt"
	"reflect"
	"sync"
	"time"
	"unsafe"

	duck "github.com/duckdb/duckdb-go/v2"
)

// workers lend the engine threads while there are reads; it has none of its own. The one writer is better off without:
// whoever waits for a statement spins while a worker holds its last task, and on a busy machine that costs more than
// the task.
type workers struct {
	database unsafe.Pointer
	most     int // beside the reader's own
	idle     time.Duration

	mu      sync.Mutex
	readers int
	state   unsafe.Pointer // nil while there are no workers
	rest    *time.Timer
	running sync.WaitGroup
	stopped bool
}

// workersIdle spares the reads of one page the start of threads for each.
const workersIdle = 500 * time.Millisecond

func newWorkers(c *duck.Connector, threads int) (*workers, error) {
	database, err := databaseOf(c)
	return &workers{database: database, most: threads - 1, idle: workersIdle}, err
}

// databaseOf is the C database beneath the driver's connector, which it keeps to itself.
func databaseOf(c *duck.Connector) (unsafe.Pointer, error) {
	if f := reflect.ValueOf(c).Elem().FieldByName("db"); f.IsValid() && f.Kind() == reflect.Struct {
		if p := f.FieldByName("Ptr"); p.IsValid() && p.Kind() == reflect.UnsafePointer {
			return p.UnsafePointer(), nil
		}
	}
	return nil, fmt.Errorf("duckdb: no way to lend threads to a %T", c)
}

// enter is called before a read and leave after it.
func (w *workers) enter() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.readers++
	if w.rest != nil {
		w.rest.Stop()
	}
	if w.state != nil || w.stopped || w.most < 1 {
		return
	}
	state := C.duckdb_create_task_state(w.database)
	w.state = state
	for range w.most {
		w.running.Go(func() { C.duckdb_execute_tasks_state(state) })
	}
}

func (w *workers) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.readers--; w.readers > 0 || w.state == nil {
		return
	}
	if w.rest == nil {
		w.rest = time.AfterFunc(w.idle, w.dismiss)
		return
	}
	w.rest.Reset(w.idle)
}

func (w *workers) dismiss() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.readers == 0 || w.stopped {
		w.end()
	}
}

func (w *workers) end() {
	if w.state == nil {
		return
	}
	C.duckdb_finish_execution(w.state)
	w.running.Wait() // for a task under way at most
	C.duckdb_destroy_task_state(w.state)
	w.state = nil
}

// stop ends the workers for good. Reads go on without.
func (w *workers) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	if w.rest != nil {
		w.rest.Stop()
	}
	w.end()
}
