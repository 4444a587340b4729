package mapping

import (
	"testing"

	"weir/internal/jsonx"
)

func TestRestoreKeepsWhatItCannotRestore(t *testing.T) {
	marked := jsonx.Raw(`{"a":1,"in":{"$body":"input","as":"json"},"part":{"$body":"input","at":"messages"},"out":{"$body":"output"},` +
		`"odd":{"$body":"input","at":"@pretty|@ugly"},"none":{"$body":"input","as":"json+"}}`)
	for name, c := range map[string]struct{ input, output, want string }{
		"all there": {
			`{"messages":[1],"$more":{"x":1}}`, `"y"`,
			`{"a":1,"in":"{\"messages\":[1],\"$more\":{\"x\":1}}","part":[1],"out":"y","odd":{"$body":"input","at":"@pretty|@ugly"},"none":"{\"messages\":[1]}"}`,
		},
		"no bodies": {"", "", string(marked)},
		"another":   {`7`, "", `{"a":1,"in":"7","part":{"$body":"input","at":"messages"},"out":{"$body":"output"},"odd":{"$body":"input","at":"@pretty|@ugly"},"none":"7"}`},
	} {
		if got := string(Restore(marked, []byte(c.input), []byte(c.output))); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
	if got := Restore(nil, nil, nil); got != nil {
		t.Errorf("no attributes: %s", got)
	}
}
