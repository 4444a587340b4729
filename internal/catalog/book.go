package catalog

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"weir/internal/jsonx"
	"weir/internal/money"
)

// bookJSON is made by bookgen; see NOTICE for its source.
//
//go:embed book.json
var bookJSON []byte

// entry is one model of the book in its compact form; see bookgen for the letters and the order of rates.
type entry struct {
	Provider  string                  `json:"p"`
	Mode      string                  `json:"m"`
	MaxInput  int                     `json:"i"`
	MaxOutput int                     `json:"o"`
	Flags     string                  `json:"f"`
	Rates     []money.Rate            `json:"r"`
	Tiers     map[string][]money.Rate `json:"t"`
}

type book struct {
	Version string           `json:"version"`
	Models  map[string]entry `json:"models"`
}

// embedded is the built-in book, decoded on first use: a start without calls does not pay for it.
var embedded = sync.OnceValue(func() *book {
	var b book
	if err := jsonx.Unmarshal(bookJSON, &b); err != nil {
		panic(fmt.Sprintf("catalog: embedded book is broken: %v", err)) // a test decodes it, so a build cannot ship this
	}
	return &b
})

// IDs are all names in the book, sorted.
func IDs() []string { return slices.Sorted(maps.Keys(embedded().Models)) }

func (b *book) model(id string) (Model, bool) {
	e, ok := b.Models[id]
	if !ok {
		return Model{}, false
	}
	m := Model{
		ID: id, Provider: e.Provider, Mode: e.Mode, MaxInput: e.MaxInput, MaxOutput: e.MaxOutput, Known: true,
		Abilities: abilities(e.Flags), Prices: prices(e, b.Version),
	}
	if m.Mode == "" {
		m.Mode = "chat"
	}
	return m, true
}

func abilities(flags string) Abilities {
	has := func(l byte) bool { return slices.Contains([]byte(flags), l) }
	return Abilities{
		Tools: has('t'), ParallelTools: has('p'), Vision: has('v'), PDF: has('d'), Audio: has('a'), Schema: has('s'),
		Reasoning: has('r'), Caching: has('c'), SystemMessages: true,
	}
}

func prices(e entry, version string) Prices {
	t := tier(0, e.Rates)
	p := Prices{
		Input: t.Input, Output: t.Output, CacheRead: t.CacheRead, CacheWrite: t.CacheWrite, CacheWrite1h: t.CacheWrite1h,
		AudioInput: at(e.Rates, 5), AudioOutput: at(e.Rates, 6), Book: version,
	}
	for above, rates := range e.Tiers {
		if n, err := strconv.ParseInt(above, 10, 64); err == nil {
			p.Tiers = append(p.Tiers, tier(n, rates))
		}
	}
	slices.SortFunc(p.Tiers, func(a, b Tier) int { return int(a.Above - b.Above) })
	return p
}

func tier(above int64, r []money.Rate) Tier {
	return Tier{Above: above, Input: at(r, 0), Output: at(r, 1), CacheRead: at(r, 2), CacheWrite: at(r, 3), CacheWrite1h: at(r, 4)}
}

func at(r []money.Rate, i int) money.Rate {
	if i < len(r) {
		return r[i]
	}
	return 0
}
