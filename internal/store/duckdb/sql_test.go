package duckdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/internal/fault"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/store/storetest"
)

func sqlIndex(t *testing.T) *Index {
	t.Helper()
	x := openIn(t, t.TempDir())
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	start := time.Date(2026, 3, 1, 12, 0, 0, 5_000_000, time.UTC)
	one := &span.Span{
		Project: "mine", Trace: strings.Repeat("a", 32), ID: strings.Repeat("b", 16), Day: span.DayOf(start), Kind: span.Generation, Name: "chat", Group: "claude",
		Start: start, End: start.Add(1500 * time.Millisecond), Status: span.OK, HTTP: 200, Usage: llm.Usage{Input: 10, Output: 5}, User: "u1",
		Cost: span.Cost{Total: money.FromUSD(0.25)}, Tags: []string{"x", "y"}, Metadata: []byte(`{"team":{"name":"red"}}`), Stream: true,
	}
	one.Scores = []span.Mark{{Name: "quality", Value: 0.5, Text: "0.5"}, {Name: "good", Value: 1, Text: "true"}, {Name: "tone", Text: "kind"}}
	two := *one
	two.Scores = nil
	two.ID, two.Parent, two.Status, two.HTTP, two.Start = strings.Repeat("c", 16), one.ID, span.Error, 0, start.Add(time.Second)
	theirs := *one
	theirs.Project, theirs.Trace, theirs.User = "theirs", strings.Repeat("d", 32), "secret"
	if err := x.Apply(t.Context(), []*span.Span{one, &two, &theirs}, 1); err != nil {
		t.Fatal(err)
	}
	return x
}

func runSQL(t *testing.T, x *Index, text string) query.SQLAnswer {
	t.Helper()
	a, err := x.SQL(t.Context(), query.SQLQuery{Project: "mine", Text: text})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return a
}

func TestSQLAnswers(t *testing.T) {
	x := sqlIndex(t)
	for text, want := range map[string]string{
		`select count(*), sum(cost_usd), max(http_status), min(http_status) from spans`:                           `[[2,0.5,200,200]]`,
		`select trace_id, span_id, start_time, duration_ms, stream from spans where parent_id = '' -- comment`:    `[["` + strings.Repeat("a", 32) + `","` + strings.Repeat("b", 16) + `","2026-03-01T12:00:00.005Z",1500,true]]`,
		`select user_id, tags, metadata['team.name'], metadata from spans order by start_time limit 1;`:           `[["u1",["x","y"],"red",{"team.name":"red"}]]`,
		`with e as (select * from spans where status = 'error'), f as (select * from e) select count(*) n from f`: `[[1]]`,
		`select spans, calls, errors, cost_usd, round(duration_ms) from traces`:                                   `[[2,2,1,0.5,1500]]`,
		`with recursive t(n) as (select 1 union all select n + 1 from t where n < 5) select sum(n) from t`:        `[[15]]`,
		`select tag, count(*) from (select unnest(tags) tag from spans) group by all order by 1`:                  `[["x",2],["y",2]]`,
		`select 9007199254740993, 1.50::decimal(9,2), 'nan'::double, null, interval 1 day, date '2026-01-02'`:     `[["9007199254740993","1.5","NaN",null,"0 months 1 days 0s","2026-01-02T00:00:00Z"]]`,
		`select s.user_id || '-' || s.model as a from spans s join traces using (trace_id) where s.parent_id=''`:  `[["u1-claude"]]`,
		`select status, row_number() over (partition by trace_id order by start_time) from spans order by 2`:      `[["ok",1],["error",2]]`,
		`select * from (values (1), (2)) v(a) union all select 3 order by 1 desc`:                                 `[[3],[2],[1]]`,
		`from spans select count(*)`:                                                             `[[2]]`,
		`select name, value, text from scores order by name`:                                     `[["good",1,"true"],["quality",0.5,"0.5"],["tone",null,"kind"]]`,
		`select avg(value) from scores join spans using (span_id) where scores.name = 'quality'`: `[[0.5]]`,
	} {
		got, err := json.Marshal(runSQL(t, x, text).Rows)
		if err != nil || string(got) != want {
			t.Errorf("%s:\n got %s (%v)\nwant %s", text, got, err, want)
		}
	}
}

// What is documented is what is there.
func TestSQLTables(t *testing.T) {
	x := sqlIndex(t)
	for _, table := range x.SQLTables() {
		got := runSQL(t, x, "select * from "+table.Name)
		if len(got.Columns) != len(table.Columns) {
			t.Fatalf("%s has %d columns, %d documented", table.Name, len(got.Columns), len(table.Columns))
		}
		for i, c := range got.Columns {
			if d := table.Columns[i]; d.Name != c.Name || d.Type != c.Type {
				t.Errorf("%s.%s is %s, documented as %s %s", table.Name, c.Name, c.Type, d.Name, d.Type)
			}
		}
	}
}

// Whatever a statement says, it reads the project's rows and nothing else.
func TestSQLRefuses(t *testing.T) {
	x := sqlIndex(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "secret.csv")
	if err := os.WriteFile(file, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		``, `;`, `-- nothing`, `select 1; select 2`, `select 1; drop table spans`, `select`, `selec 1`,
		// other projects, by every name the engine has for its tables
		`select * from file.main.spans`, `select * from main.spans`, `select * from file.spans`, `select * from "file"."main"."spans"`, `select * from meta`,
		`select * from memory.main.spans`, `select * from temp.spans`, `select * from replaced`, `table file.main.spans`,
		`select * from query('select * from file.main.spans')`, `select * from query_table('file.main.spans')`, `select * from seq_scan('spans')`,
		`select (select max(user_id) from file.main.spans)`, `select 1 where exists (from file.main.spans)`,
		`with x as (select * from file.main.spans) select * from x`, `select * from spans union all select * from file.main.spans`,
		`select * from spans s, lateral (select * from file.main.spans) y`, `select * from spans order by (select max(user_id) from file.main.spans)`,
		// catalogs, also where WITH hides them in another scope
		`select * from duckdb_tables()`, `select * from duckdb_settings()`, `select * from duckdb_views()`, `select * from sqlite_master`, `select * from information_schema.tables`,
		`select * from pg_catalog.pg_class`, `select * from pg_class`, `select * from duckdb_columns`, `show tables`, `describe spans`, `summarize spans`, `select * from (show tables)`,
		`with duckdb_tables as (select * from duckdb_tables) select * from duckdb_tables`,
		`select * from (with duckdb_views as (select 1) select * from duckdb_views), duckdb_views`,
		`with a as (select * from b), b as (select 1) select * from a`,
		// files, network, programs
		`select * from '` + file + `'`, `select * from read_csv('` + file + `')`, `select * from read_text('/etc/passwd')`, `select * from glob('/*')`,
		`select * from read_parquet('http://127.0.0.1/x')`, `select * from sniff_csv('` + file + `')`, `copy spans to '` + dir + `/out.csv'`,
		`copy (select 1) to '` + dir + `/out.csv'`, `export database '` + dir + `'`, `attach '` + dir + `/x.db' as x`, `install httpfs`, `load httpfs`, `import database '` + dir + `'`,
		// settings and changes
		`set memory_limit = '1TB'`, `reset memory_limit`, `pragma database_list`, `use file`, `checkpoint`, `vacuum`, `begin`, `commit`, `detach file`, `set variable a = 1`,
		`insert into spans values (1)`, `update spans set model = 'x'`, `delete from spans`, `drop view spans`, `create table a (a int)`, `create macro f() as 1`,
		`call pragma_version()`, `prepare p as select 1`, `execute p`, `explain select 1`, `explain analyze select 1`, `alter table spans add column a int`, `truncate spans`,
		`select current_setting('memory_limit')`, `select getvariable('a')`, `select current_query()`, `select version()`, `select nextval('a')`, `select getenv('HOME')`,
		`select current_database()`, `select write_log('x')`, `select sleep_ms(100)`, `select json_serialize_sql('select 1')`, `select * from json_execute_serialized_sql('{}')`,
		`select setseed(0.5)`, `select list_aggregate([1], 'string_agg')`, `select $1`, `select ?`,
		// short statements that make huge values
		`select repeat('x', 1000000000)`, `select lpad('', 1000000000, 'x')`, `select range(1000000000)`, `select format('{:1000000000}', 1)`,
		`select printf('%1000000000d', 1)`, `select list_resize([1], 1000000000)`, `select bar(1, 0, 1, 1000000000)`, `select null::integer[100000]`, `select cast(null as struct(a int[100000]))`,
		`select replace(user_id, 'a', (select user_id from spans)) from spans`,
		doubling(20), `with recursive t(s, n) as (select 'x', 1 union all select s || s, n + 1 from t where n < 40) select max(length(s)) from t`,
		`select replace(replace(replace('` + strings.Repeat("a", 4000) + `', 'a', '` + strings.Repeat("a", 4000) + `'), 'a', 'bbbbbbbb'), 'b', 'cccccccc')`,
		strings.Repeat("(", 5000) + "select 1" + strings.Repeat(")", 5000), "select " + strings.Repeat("[", 8000), "select \x00 1",
		// short statements that take for ever to plan
		"select " + strings.Repeat("exists (select ", 20) + "1" + strings.Repeat(")", 20), "select sum(" + strings.Repeat("(select max(", 8) + "1" + strings.Repeat("))", 8) + ") over () from spans",
		strings.Repeat("select * from spans s, lateral (", 20) + "select 1" + strings.Repeat(") x", 20), widening(30),
		`pivot spans on status using count(*)`, `select * from (pivot spans on status using count(*))`,
	} {
		a, err := x.SQL(t.Context(), query.SQLQuery{Project: "mine", Text: text})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, %v", head(text), a.Rows, err)
		} else if f, _ := errors.AsType[*fault.Error](err); f.Field != "query" || f.Msg == "" || strings.Contains(f.Msg, dir) && !strings.Contains(text, dir) {
			t.Errorf("%s: field %q, message %q", head(text), f.Field, f.Msg)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("files were written: %v %v", left, err)
	}
	if n, err := x.Count(t.Context(), query.Query{Project: "theirs"}); n != 1 || err != nil {
		t.Errorf("%d rows of another project left (%v)", n, err)
	}
}

// widening names a query that reads the one before twice, n times over.
func widening(n int) string {
	s := "with a0 as (select * from spans)"
	for i := range n {
		s += fmt.Sprintf(", a%d as (select * from a%d x, a%d y)", i+1, i, i)
	}
	return s + fmt.Sprintf(" select count(*) from a%d", n)
}

// doubling joins a text to itself n times over.
func doubling(n int) string {
	s := "select user_id as s from spans"
	for range n {
		s = "select s || s as s from (" + s + ")"
	}
	return s
}

func head(s string) string { return s[:min(len(s), 120)] }

func TestSQLSeesOnlyItsProject(t *testing.T) {
	x := sqlIndex(t)
	for _, text := range []string{
		`select user_id from spans where 1=1 or project = 'theirs'`, `select * from spans`, `select * from traces`,
		`select * from spans where trace_id like 'd%' or true`, `select columns('.*') from spans`, `select spans from spans`, `from spans`, `table spans`,
	} {
		a, err := x.SQL(t.Context(), query.SQLQuery{Project: "mine", Text: text})
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", text, err)
		}
		if all := fmt.Sprint(a.Rows); strings.Contains(all, "secret") || strings.Contains(all, strings.Repeat("d", 32)) {
			t.Errorf("%s shows %s", text, all)
		}
	}
	a, err := x.SQL(t.Context(), query.SQLQuery{Project: "it's' or 1=1 --", Text: `select count(*) from spans`})
	if err != nil || fmt.Sprint(a.Rows) != "[[0]]" {
		t.Errorf("%v %v", a.Rows, err)
	}
}

func TestSQLNamesThePlace(t *testing.T) {
	x := sqlIndex(t)
	for _, c := range []struct {
		text string
		pos  int
	}{
		{"selec 1", 0},
		{"select count(*)\nfrom spans\nwhere nope = 1", 33},
		{"select nope(1)", 7},
		{"select 1 from spans\n join elsewhere using (a)", 26},
		{"select user_id, version() from spans", 16},
		{"select '" + strings.Repeat("long ", 60) + "', nope from spans where " + strings.Repeat("true and ", 30) + " true", 311},
	} {
		_, err := x.SQL(t.Context(), query.SQLQuery{Project: "mine", Text: c.text})
		p, ok := errors.AsType[*query.ParseError](err)
		if !ok || p.Pos != c.pos {
			t.Errorf("%s: %v, place %+v, want %d", head(c.text), err, p, c.pos)
		}
	}
}

// A statement without end stops at its deadline, and one that is too large at the memory limit; the index goes on.
func TestSQLIsBounded(t *testing.T) {
	x := sqlIndex(t)
	if err := x.Apply(t.Context(), storetest.RandomSpans("mine", 3000, 1), 2); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`with recursive t(n) as (select 1 union all select n + 1 from t) select max(n) from t`,
		`select count(*) from spans a, spans b, spans c, spans d where a.cost_usd + b.cost_usd + c.cost_usd > d.cost_usd`,
		`select count(*) from range(1000000000000) a, range(1000) b where a.range % 7 = b.range`,
		`select * from spans a, spans b, spans c order by a.cost_usd * b.cost_usd * c.cost_usd`,
		`select list(a.name) from spans a, spans b, spans c`,
		`select length(string_agg(a.trace_id, '` + strings.Repeat("-", 8000) + `')) from spans a, spans b, spans c`,
		`select array_to_string(list(a.trace_id || b.trace_id), '-') from spans a, spans b, spans c`,
		`select max(to_json(l)) from (select list(a.trace_id) l from spans a, spans b, range(100))`,
		`select list_sort(list(distinct a.trace_id || b.span_id)) from spans a, spans b`,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		began := time.Now()
		_, err := x.SQL(ctx, query.SQLQuery{Project: "mine", Text: text})
		if !errors.Is(err, context.DeadlineExceeded) && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", text, err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s took %v", head(text), took)
		}
		if mb := peak(); mb > 3000 {
			t.Fatalf("%s: %d MB in use", head(text), mb)
		}
		cancel()
	}
	got, err := x.SQL(t.Context(), query.SQLQuery{Project: "mine", Text: `select 1 from spans a, spans b`, Limit: 7})
	if err != nil || len(got.Rows) != 7 || !got.Truncated {
		t.Errorf("%d rows, truncated %v (%v)", len(got.Rows), got.Truncated, err)
	}
	if err := x.Apply(t.Context(), storetest.RandomSpans("mine", 10, 2), 3); err != nil {
		t.Errorf("the index takes no more writes: %v", err)
	}
}

func FuzzSQL(f *testing.F) {
	for _, s := range []string{`select * from spans`, `with a as (select 1) select * from a`, `select * from file.main.spans`, doubling(3)} {
		f.Add(s)
	}
	x, err := Open(f.Context(), filepath.Join(f.TempDir(), "index.duckdb"), Options{})
	if err != nil {
		f.Fatal(err)
	}
	s := &span.Span{Project: "theirs", Trace: "hidden-trace", ID: "i", User: "hidden", Start: time.Now(), End: time.Now()}
	if err := x.Apply(f.Context(), []*span.Span{s}, 1); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > query.MaxSQLText {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		a, err := x.SQL(ctx, query.SQLQuery{Project: "mine", Text: text})
		if errors.Is(err, query.ErrLost) {
			t.Fatal(err)
		}
		if out := fmt.Sprint(a.Rows); strings.Contains(out, "hidden") && !strings.Contains(text, "hidden") {
			t.Fatal(out)
		}
	})
}

// peak is the most memory that this process has held, in MB; 0 where the system does not tell.
func peak() (mb int) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	if _, rest, ok := strings.Cut(string(b), "VmHWM:"); ok {
		_, _ = fmt.Sscan(rest, &mb)
	}
	return mb / 1024
}

// Deep statements must not exhaust the stack of the engine's parser, which would end the process.
func TestSQLSurvivesDepth(t *testing.T) {
	x := sqlIndex(t)
	n := query.MaxSQLText
	for name, text := range map[string]string{
		"sum": "select 1" + strings.Repeat("+1", n/2-10), "not": "select " + strings.Repeat("not ", n/4-10) + "true", "minus": "select " + strings.Repeat("- ", n/2-10) + "1",
		"tilde": "select " + strings.Repeat("~", n-20) + "1", "and": "select true" + strings.Repeat(" and true", n/9-10), "union": "select 1" + strings.Repeat(" union select 1", n/15-10),
		"case": "select " + strings.Repeat("case when true then ", n/24-10) + "1" + strings.Repeat(" end", n/24-10), "join": "select 1 from spans" + strings.Repeat(" join spans using(a)", n/20-10),
		"cast": "select 1" + strings.Repeat("::int", n/5-10), "dots": "select a" + strings.Repeat(".a", n/2-10), "index": "select a" + strings.Repeat("[1]", n/3-10), "from": "from spans " + strings.Repeat("select * from spans ", 50),
		"is": "select 1" + strings.Repeat(" is null", n/8-10), "collate": "select 'a'" + strings.Repeat(" collate nocase", n/15-10), "arrow": "select a" + strings.Repeat("->'a'", n/5-10),
		"exists": "select " + strings.Repeat("exists (select ", 60) + "1" + strings.Repeat(")", 60), "comment": "select " + strings.Repeat("/*", n/2-10), "with": "with " + strings.Repeat("a as (select 1), ", n/17-10) + "b as (select 1) select 1",
		"concat": "select ''" + strings.Repeat("||''", n/4-10), "type": "select null::" + strings.Repeat("struct(a ", 58) + "int" + strings.Repeat(")", 58), "list": "select null::int" + strings.Repeat("[]", n/2-10),
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if _, err := x.SQL(ctx, query.SQLQuery{Project: "mine", Text: text}); errors.Is(err, query.ErrLost) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
	if got := fmt.Sprint(runSQL(t, x, `select count(*) from spans`).Rows); got != "[[2]]" {
		t.Errorf("afterwards %s", got)
	}
}
