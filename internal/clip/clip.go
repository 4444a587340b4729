// Package clip shortens text that comes from outside, before it is quoted in a message, logged or shown.
package clip

import "strings"

// To is at most n bytes of s in whole characters, then "…" where more followed.
func To(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
