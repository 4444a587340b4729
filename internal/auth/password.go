package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"weir/internal/fault"
)

// argon2id parameters: OWASP's minimum with memory first, 19 MiB and two passes.
const (
	argonMemory = 19 * 1024 // KiB
	argonTime   = 2
	argonLanes  = 1
	argonKey    = 32
	argonSalt   = 16
)

// MinPassword is the least length of a new password, in bytes.
const MinPassword = 8

// HashPassword is the argon2id hash in PHC form.
func HashPassword(password string) string {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // crypto/rand.Read never fails since Go 1.24
	sum := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonLanes, argonKey)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes, b64(salt), b64(sum))
}

// checkPassword compares in constant time. A hash it cannot read, or one that would take unreasonable memory or time,
// matches nothing.
func checkPassword(phc, password string) bool {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	var version, memory, passes, lanes uint32
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &lanes); err != nil {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	sane := version == argon2.Version && memory <= 1<<20 && 0 < passes && passes <= 32 && 0 < lanes && lanes <= 16 && len(want) >= 16
	if err1 != nil || err2 != nil || !sane {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, uint8(lanes), uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}

// verifier checks passwords without letting them take over memory and processor: a few at a time, and a password that
// was right is remembered for five minutes under a key of this process, since MLflow clients send Basic with every
// call. Failures are never remembered.
type verifier struct {
	slots chan struct{}
	dummy string // checked for unknown users, so that they take as long
	key   []byte

	mu    sync.Mutex
	known map[[sha256.Size]byte]time.Time // until when
}

const (
	rememberFor  = 5 * time.Minute
	rememberMost = 1024
	slotWait     = 5 * time.Second
)

func newVerifier() *verifier {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return &verifier{
		slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), key: key, known: map[[sha256.Size]byte]time.Time{},
		// A well-formed hash no password is known for; making a real one would cost time at every start.
		dummy: fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
			base64.RawStdEncoding.EncodeToString(key[:argonSalt]), base64.RawStdEncoding.EncodeToString(key)),
	}
}

// check reports whether the password fits the hash; an empty hash fits nothing but takes as long.
func (v *verifier) check(ctx context.Context, phc, password string, now time.Time) (bool, error) {
	mac := v.mac(phc, password)
	if v.remembers(mac, now) {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, slotWait)
	defer cancel()
	select {
	case v.slots <- struct{}{}:
	case <-ctx.Done():
		return false, &fault.Error{Kind: fault.Unavailable, Msg: "too many logins at once, try again", RetryAfter: time.Second, Err: ctx.Err()}
	}
	defer func() { <-v.slots }()
	if phc == "" {
		checkPassword(v.dummy, password)
		return false, nil
	}
	if !checkPassword(phc, password) {
		return false, nil
	}
	v.remember(mac, now)
	return true, nil
}

func (v *verifier) mac(phc, password string) (sum [sha256.Size]byte) {
	m := hmac.New(sha256.New, v.key)
	fmt.Fprintf(m, "%d:%s%s", len(phc), phc, password)
	copy(sum[:], m.Sum(nil))
	return sum
}

func (v *verifier) remembers(mac [sha256.Size]byte, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.known[mac].After(now)
}

func (v *verifier) remember(mac [sha256.Size]byte, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) >= rememberMost {
		clear(v.known)
	}
	v.known[mac] = now.Add(rememberFor)
}
