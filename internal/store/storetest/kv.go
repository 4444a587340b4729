package storetest

import (
	"bytes"
	"strconv"
	"sync"
	"testing"
	"time"

	"weir/internal/span"
)

// KV is what every span.KV must do. open gives a store in dir whose clock reads now.
func KV(t *testing.T, open func(t *testing.T, dir string, now func() time.Time) (kv span.KV, closeKV func())) {
	dir := t.TempDir()
	clock := noon
	now := func() time.Time { return clock }
	kv, closeKV := open(t, dir, now)
	get := func(key string) []byte {
		t.Helper()
		v, err := kv.Get(t.Context(), []byte(key))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	put := func(key, value string, ttl time.Duration) {
		t.Helper()
		if err := kv.Put(t.Context(), []byte(key), []byte(value), ttl); err != nil {
			t.Fatal(err)
		}
	}
	if get("nothing") != nil {
		t.Fatal("a miss is nil")
	}
	put("a", "1", time.Hour)
	put("a", "2", time.Hour)
	put("b", "week", 7*24*time.Hour)
	put("empty", "", time.Hour)
	if !bytes.Equal(get("a"), []byte("2")) || get("empty") == nil || get("") != nil {
		t.Fatalf("a = %q, empty = %v", get("a"), get("empty"))
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			key := []byte("c" + strconv.Itoa(i))
			_ = kv.Put(t.Context(), key, key, time.Hour)
			if v, err := kv.Get(t.Context(), key); err != nil || !bytes.Equal(v, key) {
				t.Errorf("%s = %q, %v", key, v, err)
			}
		})
	}
	wg.Wait()
	clock = clock.Add(12 * time.Hour)
	if get("a") == nil {
		t.Fatal("a lifetime is rounded up to days")
	}
	closeKV()
	kv, closeKV = open(t, dir, now)
	defer closeKV()
	if get("a") == nil {
		t.Fatal("entries survive a restart")
	}
	clock = clock.Add(13 * time.Hour)
	if get("a") != nil || get("b") == nil {
		t.Fatal("after a day, a has expired and b has not")
	}
}
