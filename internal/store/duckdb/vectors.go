package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"

	duck "github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// vectors are columns of some rows of a result, in the engine's memory: valid until the call they are given to returns.
type vectors struct {
	chunk mapping.DataChunk
	rows  int
}

// numbersAt are the values of a BIGINT column, or the bits of a DOUBLE one.
func (v vectors) numbersAt(column int) []int64 {
	return of[int64](mapping.DataChunkGetVector(v.chunk, mapping.IdxT(column)), v.rows)
}

func (v vectors) textsAt(column int) []text {
	return of[text](mapping.DataChunkGetVector(v.chunk, mapping.IdxT(column)), v.rows)
}

// view is the text where it is: it must be copied to be kept.
func (t *text) view() string {
	if t.size <= inlineText {
		return unsafe.String((*byte)(unsafe.Pointer(&t.inline)), t.size)
	}
	return unsafe.String(*(**byte)(unsafe.Pointer(&t.rest)), t.size)
}

// vectors runs a query when there is a slot for it and hands over its result as the engine holds it. Through the driver,
// which boxes every value, reading a hundred thousand rows takes longer than computing them. No value may be NULL.
func (x *Index) vectors(ctx context.Context, s *statement, take func(vectors) error) error {
	done, err := x.reading(ctx)
	if err != nil {
		return err
	}
	defer done()
	c, err := x.db.Conn(ctx)
	if err != nil {
		return readFailed(ctx, err)
	}
	defer func() { _ = c.Close() }() // it goes back to the pool
	return readFailed(ctx, c.Raw(func(raw any) error {
		conn, err := handleOf(raw)
		if err != nil {
			return err
		}
		return fetch(ctx, conn, s, take)
	}))
}

func fetch(ctx context.Context, conn mapping.Connection, s *statement, take func(vectors) error) error {
	var p mapping.PreparedStatement
	defer mapping.DestroyPrepare(&p)
	if mapping.Prepare(conn, s.String(), &p) == mapping.StateError {
		return engineError(mapping.PrepareError(p))
	}
	if err := bind(p, s.args); err != nil {
		return err
	}
	var r mapping.Result
	defer mapping.DestroyResult(&r)
	state := mapping.StateSuccess
	interruptible(ctx, conn, func() { state = mapping.ExecutePrepared(p, &r) })
	if state == mapping.StateError {
		return engineError(mapping.ResultError(&r))
	}
	for {
		chunk := mapping.FetchChunk(r)
		if chunk.Ptr == nil {
			return nil
		}
		err := take(vectors{chunk: chunk, rows: int(mapping.DataChunkGetSize(chunk))})
		mapping.DestroyDataChunk(&chunk)
		if err != nil {
			return err
		}
	}
}

func bind(p mapping.PreparedStatement, args []any) error {
	for i, a := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(a)
		if err != nil {
			return fmt.Errorf("duckdb: parameter %d: %w", i+1, err)
		}
		at, state := mapping.IdxT(i+1), mapping.StateError
		switch v := v.(type) {
		case string:
			state = mapping.BindVarchar(p, at, v)
		case float64:
			state = mapping.BindDouble(p, at, v)
		case int64:
			state = mapping.BindInt64(p, at, v)
		case bool:
			state = mapping.BindBoolean(p, at, v)
		}
		if state == mapping.StateError {
			return fmt.Errorf("duckdb: parameter %d is a %T", i+1, a)
		}
	}
	return nil
}

// again is when a statement that goes on after its context has ended is interrupted once more: before it has begun, an
// interrupt has no effect.
const again = 50 * time.Millisecond

// interruptible runs a statement and interrupts it when the context ends.
func interruptible(ctx context.Context, conn mapping.Connection, run func()) {
	done, quiet := make(chan struct{}), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(quiet)
		for {
			mapping.Interrupt(conn)
			select {
			case <-done:
				return
			case <-time.After(again):
			}
		}
	})
	run()
	close(done)
	if !stop() {
		<-quiet // an interrupt must not meet the next statement
	}
}

// engineError tells of what kind the engine's word for an error is, as failed needs it.
func engineError(msg string) error {
	for prefix, kind := range map[string]duck.ErrorType{"FATAL Error": duck.ErrorTypeFatal, "INTERNAL Error": duck.ErrorTypeInternal} {
		if strings.HasPrefix(msg, prefix) {
			return &duck.Error{Type: kind, Msg: msg}
		}
	}
	return errors.New(msg)
}
