package s3

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"

	"weir/internal/export"
	"weir/internal/fault"
	"weir/internal/span"
)

// server starts a real S3 server over a folder, which is returned with its address.
func server(t *testing.T) (endpoint, dir string) {
	t.Helper()
	bin, err := exec.LookPath("versitygw")
	if err != nil {
		const msg = "S3 NOT TESTED: test/setup.sh installs versitygw, make puts it on the path"
		if os.Getenv("CI") == "true" {
			t.Fatal(msg)
		}
		t.Skip(msg)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // it does not report a port that it chose itself
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "bucket"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "--port", addr, "--access", "ak", "--secret", "sk", "--quiet", "posix", "--sidecar", t.TempDir(), dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	await(t, addr)
	return "http://" + addr, dir
}

func await(t *testing.T, addr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			_ = c.Close()
			return
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
}

func TestPut(t *testing.T) {
	endpoint, dir := server(t)
	target := export.Target{Kind: export.S3, Bucket: "bucket", Endpoint: endpoint, PathStyle: true, AccessKeyID: "ak", Secret: "sk"}
	b, err := Open(http.DefaultClient, target)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w := export.NewParquet(&file)
	for range 100 {
		if err := w.Write(export.Item{Span: &span.Span{Trace: "t", ID: "i", Start: time.Now(), End: time.Now()}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	name := "weir/project=p/date=2026-03-01/part-00.parquet"
	for range 2 { // the same name is replaced
		if err := b.Put(t.Context(), name, bytes.NewReader(file.Bytes()), int64(file.Len())); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var n int
	if err := db.QueryRow(`SELECT count(*) FROM read_parquet(?, hive_partitioning=true) WHERE project = 'p'`, filepath.Join(dir, "bucket", "weir")+"/**/*.parquet").Scan(&n); err != nil || n != 100 {
		t.Errorf("%d rows read back (%v)", n, err)
	}

	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	b.part = 5 << 20
	if err := b.Put(t.Context(), "large", bytes.NewReader(large), int64(len(large))); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "bucket", "large")); err != nil || !bytes.Equal(got, large) {
		t.Errorf("%d bytes in parts became %d (%v)", len(large), len(got), err)
	}

	for what, spoil := range map[string]func(*export.Target){
		"secret": func(t *export.Target) { t.Secret = "wrong" },
		"key":    func(t *export.Target) { t.AccessKeyID = "nobody" },
		"bucket": func(t *export.Target) { t.Bucket = "missing" },
	} {
		bad := target
		spoil(&bad)
		x, err := Open(http.DefaultClient, bad)
		if err != nil {
			t.Fatal(err)
		}
		err = x.Put(t.Context(), "x", bytes.NewReader([]byte("x")), 1)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Invalid {
			t.Errorf("wrong %s: %v", what, err)
		}
	}
}

func TestOpen(t *testing.T) {
	if _, err := Open(http.DefaultClient, export.Target{Kind: export.S3, Bucket: "b", Region: "r"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("without credentials: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := Open(http.DefaultClient, export.Target{Kind: export.S3, Bucket: "b", Endpoint: endpoint, PathStyle: true, AccessKeyID: "ak", Secret: "sk"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Put(t.Context(), "x", bytes.NewReader([]byte("x")), 1); !fault.Is(err, fault.Unavailable) {
		t.Errorf("nobody there: %v", err)
	}
}
