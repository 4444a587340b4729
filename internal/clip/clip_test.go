package clip

import "testing"

func TestTo(t *testing.T) {
	for _, c := range []struct {
		in, want string
		n        int
	}{
		{"", "", 0}, {"abc", "abc", 3}, {"abcd", "abc…", 3}, {"日本", "日…", 3}, {"日本", "日…", 5}, {"日本", "…", 1},
	} {
		if got := To(c.in, c.n); got != c.want {
			t.Errorf("To(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}
