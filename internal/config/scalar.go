package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"weir/internal/gateway"
)

// Secret is a string that prints as "***".
type Secret = gateway.Secret

// Duration is written "90s", "10m" or "1h30m".
type Duration time.Duration

// D is the time.Duration.
func (d Duration) D() time.Duration { return time.Duration(d) }

// MarshalText writes the usual form.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads it; a bare number is seconds, as LiteLLM writes timeouts.
func (d *Duration) UnmarshalText(b []byte) error {
	s := string(b)
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		if f < 0 || f > 1e9 || math.IsNaN(f) {
			return fmt.Errorf("%q is not a duration", s)
		}
		*d = Duration(f * float64(time.Second))
		return nil
	}
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a duration such as 30s or 10m", s)
	}
	*d = Duration(v)
	return nil
}

// UnmarshalYAML is UnmarshalText with the place of a mistake, which the decoder does not tell for texts.
func (d *Duration) UnmarshalYAML(n ast.Node) error { return scalar(n, d.UnmarshalText) }

// UnmarshalYAML is UnmarshalText with the place of a mistake.
func (s *Size) UnmarshalYAML(n ast.Node) error { return scalar(n, s.UnmarshalText) }

func scalar(n ast.Node, read func([]byte) error) error {
	var text string
	err := yaml.NodeToValue(n, &text)
	if err == nil {
		err = read([]byte(text))
	}
	if err == nil {
		return nil
	}
	p := Problem{Msg: err.Error()}
	if t := n.GetToken(); t != nil && t.Position != nil {
		p.Line, p.Col = t.Position.Line, t.Position.Column
	}
	return p
}

// Size is bytes, written as a number or with a unit: 32MiB, 512MB, 1GiB.
type Size int64

// units are tried longest first.
var units = []struct {
	suffix string
	factor float64
}{{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40}, {"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12}, {"b", 1}, {"", 1}}

// MarshalText writes whole MiB where that is exact, else bytes.
func (s Size) MarshalText() ([]byte, error) {
	if s > 0 && s%(1<<20) == 0 {
		return fmt.Appendf(nil, "%dMiB", s>>20), nil
	}
	return strconv.AppendInt(nil, int64(s), 10), nil
}

// UnmarshalText reads it.
func (s *Size) UnmarshalText(b []byte) error {
	text := strings.ToLower(strings.TrimSpace(string(b)))
	for _, u := range units {
		num, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
		if err != nil || f < 0 || f*u.factor > 1<<62 || math.IsNaN(f) {
			break
		}
		*s = Size(f * u.factor)
		return nil
	}
	return fmt.Errorf("%q is not a size such as 32MiB", string(b))
}
