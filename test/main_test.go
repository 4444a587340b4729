// Package test runs the built programs with real clients: official SDKs, coding agents, a browser.
package test

import (
	"os"
	"testing"

	"weir/test/harness"
)

func TestMain(m *testing.M) {
	if code, done := harness.Isolate(); done {
		os.Exit(code)
	}
	os.Exit(m.Run())
}
