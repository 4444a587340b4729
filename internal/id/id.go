// Package id makes the identifiers Weir hands out: W3C trace and span ids, time-ordered row ids, and secrets.
package id

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"

	"github.com/google/uuid"
)

// Trace is a W3C trace id: 32 lower-case hex digits. The first 48 bits are the time in milliseconds (UUIDv7 layout),
// so ids of one minute share a prefix and compress well.
func Trace() string {
	u := uuid.Must(uuid.NewV7())
	return hex.EncodeToString(u[:])
}

// Span is a W3C span id: 16 lower-case hex digits.
func Span() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

// New is a time-ordered UUIDv7 in its usual form, for rows and calls.
func New() string { return uuid.Must(uuid.NewV7()).String() }

// Secret is prefix followed by 192 random bits in URL-safe base64, such as "sk-…".
func Secret(prefix string) string {
	var b [24]byte
	_, _ = rand.Read(b[:])
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}
