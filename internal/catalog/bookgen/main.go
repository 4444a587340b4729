// Command bookgen turns LiteLLM's model_prices_and_context_window.json (MIT, see NOTICE) into Weir's price book: one
// model a line, prices in femto-dollars per token, only what Weir uses.
//
//	go run ./internal/catalog/bookgen -version 2026-11-21 < model_prices_and_context_window.json > internal/catalog/book.json
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

func main() {
	version := flag.String("version", "", "date of the source, e.g. 2026-11-21")
	flag.Parse()
	if *version == "" {
		log.Fatal("bookgen: -version is required")
	}
	var in map[string]map[string]any
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		log.Fatal(err)
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	fmt.Fprintf(out, "{\"version\":%q,\"models\":{\n", *version)
	first := true
	for _, id := range slices.Sorted(maps.Keys(in)) {
		m := convert(in[id])
		if m == nil {
			continue
		}
		if !first {
			fmt.Fprint(out, ",\n")
		}
		first = false
		b, err := json.Marshal(m)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprintf(out, "%q:%s", id, b)
	}
	fmt.Fprint(out, "\n}}\n")
}

var modes = []string{"chat", "completion", "responses", "embedding"}

// flags are the abilities kept, by a letter each.
var flags = []struct{ key, letter string }{
	{"supports_function_calling", "t"}, {"supports_parallel_function_calling", "p"}, {"supports_vision", "v"},
	{"supports_pdf_input", "d"}, {"supports_audio_input", "a"}, {"supports_response_schema", "s"}, {"supports_reasoning", "r"},
	{"supports_prompt_caching", "c"}, {"supports_adaptive_thinking", "A"}, {"supports_native_structured_output", "S"},
	{"thinking_always_on", "T"}, {"supports_mid_conversation_system", "M"},
}

// refusals are flags that matter when they are false.
var refusals = []struct{ key, letter string }{
	{"supports_sampling_params", "N"}, {"supports_forced_tool_use", "F"}, {"supports_legacy_thinking", "L"},
}

func convert(m map[string]any) map[string]any {
	mode, _ := m["mode"].(string)
	provider, _ := m["litellm_provider"].(string)
	if !slices.Contains(modes, mode) || provider == "" {
		return nil
	}
	out := map[string]any{"p": provider}
	if mode != "chat" {
		out["m"] = mode
	}
	put(out, "i", number(m["max_input_tokens"]))
	put(out, "o", number(m["max_output_tokens"]))
	var letters strings.Builder
	for _, f := range flags {
		if yes, _ := m[f.key].(bool); yes {
			letters.WriteString(f.letter)
		}
	}
	for _, f := range refusals {
		if v, ok := m[f.key].(bool); ok && !v {
			letters.WriteString(f.letter)
		}
	}
	if letters.Len() > 0 {
		out["f"] = letters.String()
	}
	if r := rates(m, ""); r != nil {
		out["r"] = r
	}
	if t := tiers(m); t != nil {
		out["t"] = t
	}
	return out
}

// rates are [input, output, cache read, cache write, cache write 1h, audio in, audio out], trailing zeros cut off.
func rates(m map[string]any, suffix string) []int64 {
	keys := []string{
		"input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost", "cache_creation_input_token_cost",
		"cache_creation_input_token_cost_above_1hr", "input_cost_per_audio_token", "output_cost_per_audio_token",
	}
	var out []int64
	for _, k := range keys {
		out = append(out, int64(math.Round(number(m[k+suffix])*1e15)))
	}
	for len(out) > 0 && out[len(out)-1] == 0 {
		out = out[:len(out)-1]
	}
	return out
}

func tiers(m map[string]any) map[string][]int64 {
	out := map[string][]int64{}
	for k := range m {
		rest, ok := strings.CutPrefix(k, "input_cost_per_token_above_")
		if !ok {
			continue
		}
		size, ok := strings.CutSuffix(rest, "k_tokens")
		if !ok {
			continue
		}
		if n, err := strconv.Atoi(size); err == nil {
			out[strconv.Itoa(n*1000)] = rates(m, "_above_"+size+"k_tokens")
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func put(m map[string]any, k string, v float64) {
	if v > 0 {
		m[k] = int64(v)
	}
}

func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case string:
		f, _ := strconv.ParseFloat(v, 64)
		return f
	}
	return 0
}
