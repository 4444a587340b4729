package duckdb

import (
	"database/sql"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"

	duck "github.com/duckdb/duckdb-go/v2"

	"weir/internal/query"
)

// scanSQL reads an answer, at most limit rows of it.
func scanSQL(out *query.SQLAnswer, r *sql.Rows, limit int) error {
	types, err := r.ColumnTypes()
	if err != nil {
		return err
	}
	for _, t := range types {
		out.Columns = append(out.Columns, query.SQLColumn{Name: t.Name(), Type: t.DatabaseTypeName()})
	}
	size, vals, dest := 0, make([]any, len(types)), make([]any, len(types))
	for i := range vals {
		dest[i] = &vals[i]
	}
	for r.Next() {
		if len(out.Rows) == limit || size > query.MaxSQLAnswer {
			out.Truncated = true
			break
		}
		if err := r.Scan(dest...); err != nil {
			return err
		}
		row := make([]any, len(vals))
		for i, v := range vals {
			row[i] = plain(v, &size)
		}
		out.Rows = append(out.Rows, row)
	}
	return r.Err()
}

// exact is the largest integer that a reader of JSON with floats gets right.
const exact = 1 << 53

// plain turns a value of the driver into one of JSON, and adds its size.
func plain(v any, size *int) any {
	*size += 8
	switch v := v.(type) {
	case nil, bool, int8, int16, int32, uint8, uint16, uint32:
		return v
	case int64:
		return whole(big.NewInt(v))
	case uint64:
		return whole(new(big.Int).SetUint64(v))
	case *big.Int:
		return whole(v)
	case float32:
		return float(float64(v))
	case float64:
		return float(v)
	case string:
		*size += len(v)
		return v
	case []byte:
		*size += 2 * len(v)
		return hex.EncodeToString(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case duck.UUID:
		return v.String()
	case duck.Decimal:
		return v.String()
	case duck.Interval:
		return interval(v)
	}
	return nested(v, size)
}

func nested(v any, size *int) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = plain(x, size)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			*size += len(k)
			out[k] = plain(x, size)
		}
		return out
	case duck.OrderedMap:
		out := map[string]any{}
		for i, k := range v.Keys() {
			out[fmt.Sprint(plain(k, size))] = plain(v.Values()[i], size)
		}
		return out
	}
	return fmt.Sprint(v)
}

func whole(n *big.Int) any {
	if n.IsInt64() && n.Int64() <= exact && n.Int64() >= -exact {
		return n.Int64()
	}
	return n.String()
}

// float spells what JSON has no number for.
func float(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return f
}

func interval(v duck.Interval) string {
	return fmt.Sprintf("%d months %d days %s", v.Months, v.Days, time.Duration(v.Micros)*time.Microsecond)
}
