package reference

import (
	"bytes"
	"fmt"
	"strings"
)

// Markdown is the reference: a table for each section.
func Markdown() []byte {
	var b bytes.Buffer
	all := Settings()
	fmt.Fprintln(&b, "### Top level")
	table(&b, all, "")
	for _, s := range all {
		if !s.Nested {
			continue
		}
		mark := ""
		if strings.HasPrefix(s.Type, "list") {
			mark = "[]"
		}
		fmt.Fprintf(&b, "\n### `%s%s`\n\n%s.\n", s.Path, mark, sentence(s.Doc))
		table(&b, all, s.Path+mark+".")
	}
	return b.Bytes()
}

// table lists the settings directly under a prefix.
func table(b *bytes.Buffer, all []Setting, prefix string) {
	fmt.Fprint(b, "\n| Key | Type | Default | Meaning |\n|---|---|---|---|\n")
	for _, s := range all {
		key, ok := strings.CutPrefix(s.Path, prefix)
		if !ok || strings.Contains(key, ".") {
			continue
		}
		def := ""
		if s.Default != "" {
			def = "`" + s.Default + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", key, s.Type, def, strings.ReplaceAll(s.Doc, "|", `\|`))
	}
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
