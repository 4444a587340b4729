package harness

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Names of the models that every Stack serves.
const (
	Sonnet    = "claude-sonnet-4-5"                            // Claude on Bedrock
	SonnetID  = "us.anthropic.claude-sonnet-4-5-20250929-v1:0" // the same, by its Bedrock id, as Claude Code names it
	Opus      = "claude-opus-4-7"                              // Claude on Bedrock that thinks adaptively only
	Direct    = "anthropic/claude-sonnet-4-5"                  // Claude on Anthropic's own API
	GPT       = "gpt-4o"                                       // OpenAI
	MasterKey = "sk-weir-test-master"
)

// Options of a Stack.
type Options struct {
	Flags    []string // further flags of weir serve
	Config   string   // YAML put behind the standard configuration
	NoModels bool     // a configuration without the standard models
	Fake     []string // further flags of weir-fakeupstream
	Data     string   // the data folder; default: a new one
}

// Stack is a Weir and its fake upstream, both fresh.
type Stack struct {
	URL  string // of Weir, without a slash at the end
	Fake string // of the fake upstream
	Data string
	t    testing.TB
	weir *Proc
	run  Command
}

var (
	fakeURL  = regexp.MustCompile(`"url":"(http://[^"]+)"`)
	readyURL = regexp.MustCompile(`ready on (http://\S+)`)
)

// Up starts a Stack and waits until it is ready.
func Up(t testing.TB, o Options) *Stack {
	t.Helper()
	s := &Stack{t: t, Data: cmp.Or(o.Data, t.TempDir())}
	fake := Start(t, Command{
		Name: "weir-fakeupstream", Args: append([]string{Bin(t, "weir-fakeupstream"), "--listen=127.0.0.1:0"}, o.Fake...), Env: os.Environ(),
	})
	s.Fake = announced(t, fake, fakeURL)
	config := s.config(o)
	path := filepath.Join(t.TempDir(), "weir.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run = Command{
		Name: "weir", Args: append([]string{Bin(t, "weir"), "serve", "--config=" + path, "--data=" + s.Data, "--listen=127.0.0.1:0"}, o.Flags...),
		Env: append(Plain(os.Environ()), "WEIR_MASTER_KEY="+MasterKey, "WEIR_ADMIN_EMAIL=admin@example.com", "WEIR_ADMIN_PASSWORD=a-long-test-password"),
	}
	s.Restart(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of weir's log:\n%s", s.weir.Out.Tail(6000))
		}
	})
	return s
}

// Restart starts Weir, on the data it had if it ran before; the caller has stopped or killed it. Its address is new.
func (s *Stack) Restart(t testing.TB) {
	t.Helper()
	s.weir = Start(t, s.run)
	s.URL = announced(t, s.weir, readyURL)
	Poll(t, 20*time.Second, "readiness", s.ready)
}

func announced(t testing.TB, p *Proc, url *regexp.Regexp) string {
	t.Helper()
	var found string
	Poll(t, 60*time.Second, p.Name+" says where it listens", func() error {
		if m := url.FindStringSubmatch(p.Out.String()); m != nil {
			found = strings.TrimRight(m[1], "/")
			return nil
		}
		select {
		case <-p.Exited():
			t.Fatalf("%s ended at once:\n%s", p.Name, p.Out.Tail(4000))
		default:
		}
		return fmt.Errorf("so far:\n%s", p.Out.Tail(2000))
	})
	return found
}

func (s *Stack) ready() error {
	r, err := http.Get(s.URL + "/health/readiness")
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", r.StatusCode)
	}
	return nil
}

// Log is what Weir has written so far.
func (s *Stack) Log() string { return s.weir.Out.String() }

// Weir is the server's process.
func (s *Stack) Weir() *Proc { return s.weir }

// Prices are what the standard models cost, in dollars per million tokens.
type Prices struct{ Input, Output, CacheRead, CacheWrite, CacheWrite1h float64 }

// PriceOf gives prices by model name. They are set in the configuration, so that tests do not follow the price book.
var PriceOf = map[string]Prices{
	Sonnet: {3, 15, 0.3, 3.75, 6}, SonnetID: {3, 15, 0.3, 3.75, 6}, Direct: {3, 15, 0.3, 3.75, 6}, Opus: {5, 25, 0.5, 6.25, 10},
	GPT: {Input: 2.5, Output: 10, CacheRead: 1.25},
}

func (s *Stack) config(o Options) string {
	var b bytes.Buffer
	if !o.NoModels {
		b.WriteString("models:\n")
		s.bedrock(&b, Sonnet, SonnetID)
		s.bedrock(&b, SonnetID, SonnetID)
		s.bedrock(&b, Opus, "us.anthropic.claude-opus-4-7")
		fmt.Fprintf(&b, "- {name: %q, provider: anthropic, model: claude-sonnet-4-5-20250929, base_url: %q, api_key: sk-ant-fake, %s}\n", Direct, s.Fake, prices(Direct))
		fmt.Fprintf(&b, "- {name: %s, provider: openai, model: gpt-4o, base_url: %q, api_key: sk-fake, %s}\n", GPT, s.Fake+"/v1", prices(GPT))
	}
	b.WriteString(strings.ReplaceAll(o.Config, "$FAKE", s.Fake))
	return b.String()
}

func (s *Stack) bedrock(b *bytes.Buffer, name, model string) {
	const credential = "aws: {region: us-east-1, access_key_id: AKIAIOSFODNN7EXAMPLE, secret_access_key: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY}"
	fmt.Fprintf(b, "- {name: %q, provider: bedrock, model: %q, base_url: %q, %s, %s}\n", name, model, s.Fake, credential, prices(name))
}

func prices(name string) string {
	p := PriceOf[name]
	return fmt.Sprintf("prices: {input: %g, output: %g, cache_read: %g, cache_write: %g, cache_write_1h: %g}", p.Input, p.Output, p.CacheRead, p.CacheWrite, p.CacheWrite1h)
}

// Bin is the path of a built program: in $WEIR_BIN, else in bin/ of the repository.
func Bin(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("WEIR_BIN")
	if dir == "" {
		dir = filepath.Join(Root(t), "..", "bin")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is not built; run `make build`, or name the folder of the programs in WEIR_BIN", path)
	}
	return path
}

// Root is the folder of this module.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "setup.sh")); err == nil {
			return dir
		}
	}
	t.Fatal("the tests must run inside their module")
	return ""
}

// Work is a path below the folder that setup.sh fills. The test fails if it is not there.
func Work(t testing.TB, path ...string) string {
	t.Helper()
	p := filepath.Join(append([]string{Root(t), ".work"}, path...)...)
	if _, err := os.Stat(p); err != nil {
		t.Fatalf("%s is missing; run test/setup.sh", p)
	}
	return p
}

// Plain is an environment without what would change a program's behaviour: providers, proxies, other settings of Weir.
func Plain(env []string) []string {
	var out []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		up := strings.ToUpper(name)
		if strings.HasSuffix(up, "_PROXY") || strings.HasPrefix(up, "AWS_") || strings.HasPrefix(up, "OPENAI_") || strings.HasPrefix(up, "ANTHROPIC_") ||
			strings.HasPrefix(up, "WEIR_") || strings.HasPrefix(up, "LITELLM_") || strings.HasPrefix(up, "CLAUDE_") || strings.HasPrefix(up, "CLINE_") {
			continue
		}
		out = append(out, kv)
	}
	return out
}

// Offline sends every request that is not for this machine to a port where nobody listens.
func Offline(env []string) []string {
	const dead = "http://127.0.0.1:9"
	return append(Plain(env), "HTTP_PROXY="+dead, "HTTPS_PROXY="+dead, "http_proxy="+dead, "https_proxy="+dead,
		"NO_PROXY=127.0.0.1,localhost,::1", "no_proxy=127.0.0.1,localhost,::1")
}
