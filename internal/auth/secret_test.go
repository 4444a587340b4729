package auth

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/internal/fault"
)

func TestMasterKey(t *testing.T) {
	dir := t.TempDir()
	key, created, err := LoadMasterKey(dir, "")
	if err != nil || !created || !strings.HasPrefix(key, "sk-") || len(key) < 30 {
		t.Fatalf("%q %v %v", key, created, err)
	}
	again, created, err := LoadMasterKey(dir, "")
	if err != nil || created || again != key {
		t.Fatalf("a restart changed the key: %v %v", created, err)
	}
	info, err := os.Stat(filepath.Join(dir, "master.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info.Mode(), err)
	}
	if key, _, err := LoadMasterKey(dir, "sk-given"); key != "sk-given" || err != nil {
		t.Fatalf("%q %v", key, err)
	}
	if _, _, err := LoadMasterKey(dir, "given"); !fault.Is(err, fault.Invalid) {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 1 {
		t.Fatalf("files left behind: %v", left)
	}
	if err := os.WriteFile(filepath.Join(dir, "master.key"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadMasterKey(dir, ""); err == nil {
		t.Fatal("an empty key file was accepted")
	}
}

func TestSealer(t *testing.T) {
	dir := t.TempDir()
	a, err := LoadSealer(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	sealed := a.Seal("secret", "row 1")
	if strings.Contains(sealed, "secret") || sealed == a.Seal("secret", "row 1") {
		t.Fatal("not sealed, or without a nonce")
	}
	b, err := LoadSealer(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.Open(sealed, "row 1"); got != "secret" || err != nil {
		t.Fatalf("%q %v", got, err)
	}
	other, err := NewSealer("another secret of enough length")
	if err != nil {
		t.Fatal(err)
	}
	flipped := sealed[:len(sealed)-2] + map[bool]string{true: "AA", false: "BB"}[sealed[len(sealed)-2:] != "AA"]
	for name, open := range map[string]func() (string, error){
		"other row": func() (string, error) { return a.Open(sealed, "row 2") },
		"other key": func() (string, error) { return other.Open(sealed, "row 1") },
		"flipped":   func() (string, error) { return a.Open(flipped, "row 1") },
		"short":     func() (string, error) { return a.Open("v1:AAAA", "row 1") },
		"no form":   func() (string, error) { return a.Open("secret", "row 1") },
	} {
		if got, err := open(); err == nil || got != "" {
			t.Errorf("%s: opened as %q", name, got)
		}
	}
	if _, err := NewSealer("short"); !fault.Is(err, fault.Invalid) {
		t.Fatal(err)
	}
}

func TestPasswords(t *testing.T) {
	phc := HashPassword("correct horse")
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatal(phc)
	}
	if !checkPassword(phc, "correct horse") || checkPassword(phc, "wrong horse") {
		t.Fatal("compares wrongly")
	}
	for _, bad := range []string{"", "x", "$argon2id$v=19$m=99999999,t=2,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAA", "$argon2i$v=19$m=8,t=1,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=8,t=0,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAA"} {
		if checkPassword(bad, "") {
			t.Errorf("%q matches", bad)
		}
	}
	v := newVerifier()
	now := time.Unix(1e9, 0)
	for _, c := range []struct {
		phc, password string
		want          bool
	}{{phc, "correct horse", true}, {phc, "wrong", false}, {"", "anything", false}, {phc, "correct horse", true}} {
		if got, err := v.check(t.Context(), c.phc, c.password, now); got != c.want || err != nil {
			t.Errorf("%q: %v, %v", c.password, got, err)
		}
	}
	if !v.remembers(v.mac(phc, "correct horse"), now.Add(rememberFor-1)) || v.remembers(v.mac(phc, "correct horse"), now.Add(rememberFor)) {
		t.Error("is not remembered for five minutes")
	}
	if v.remembers(v.mac(phc, "wrong"), now) {
		t.Error("a failure is remembered")
	}
}

func TestThrottle(t *testing.T) {
	th, now := newThrottle(), time.Unix(1e9, 0)
	for range maxFailures {
		if err := th.allow("1.2.3.4", "a", now); err != nil {
			t.Fatal(err)
		}
		th.failed("1.2.3.4", "a", now)
	}
	err := th.allow("1.2.3.4", "a", now)
	if !fault.Is(err, fault.RateLimited) {
		t.Fatal(err)
	}
	for _, free := range []error{th.allow("1.2.3.4", "b", now), th.allow("5.6.7.8", "a", now), th.allow("1.2.3.4", "a", now.Add(failureWindow))} {
		if free != nil {
			t.Error(free)
		}
	}
	for i := range 10 * maxFailures {
		th.failed("1.2.3.4", fmt.Sprint("user", i), now)
	}
	if err := th.allow("1.2.3.4", "fresh", now); !fault.Is(err, fault.RateLimited) {
		t.Error("one address may try any number of accounts")
	}
	for i := range maxTracked {
		th.failed(fmt.Sprint(i), "a", now.Add(time.Duration(i)))
	}
	if len(th.since) > maxTracked+1 {
		t.Errorf("%d entries", len(th.since))
	}
}

func TestHosts(t *testing.T) {
	h := NewHosts([]string{"127.0.0.1:4000", "0.0.0.0:4000", "10.0.0.7:4000"}, "https://weir.example.com/base", []string{"weir", "Other.example.com:8080"})
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:4000": true, "127.0.0.1:4000": true, "[::1]:4000": true, "127.9.9.9": true, "app.localhost:1": true,
		"10.0.0.7:4000": true, "weir.example.com": true, "weir:4000": true, "other.example.com": true, "weir.example.com.": true,
		"10.0.0.8:4000": false, "0.0.0.0:4000": false, "evil.example.com": false, "": false, "weir.example.com.evil.example.com": false, "notlocalhost": false,
	} {
		if got := h.Allows(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
	if !h.allowsBrowser("10.0.0.8:4000") || h.allowsBrowser("evil.example.com:4000") {
		t.Error("browsers: addresses are safe from rebinding, names are not")
	}
}
