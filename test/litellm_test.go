package test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/test/harness"
)

// refusal is the error body of LiteLLM and of OpenAI's dialect.
type refusal struct {
	Error struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Param   string `json:"param"`
		Code    string `json:"code"`
	} `json:"error"`
}

func chatBody(model, text string) map[string]any {
	return map[string]any{"model": model, "messages": []map[string]any{{"role": "user", "content": text}}, "max_tokens": 300}
}

func chat(t *testing.T, s *harness.Stack, key, model string) harness.Reply {
	t.Helper()
	return s.Call(t, harness.Request{Method: http.MethodPost, Path: "/v1/chat/completions", Key: key, Body: chatBody(model, "Hello")})
}

// manage calls a management route with the master key and fails the test unless it answers 200.
func manage(t *testing.T, s *harness.Stack, method, path string, body, out any) {
	t.Helper()
	r := s.Call(t, harness.Request{Method: method, Path: path, Body: body})
	if r.Status != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, r.Status, r.Body)
	}
	if out != nil {
		r.JSON(t, out)
	}
}

// wantRefusal checks an error in LiteLLM's shape: status, type, and words of the message.
func wantRefusal(t *testing.T, r harness.Reply, status int, kind string, words ...string) {
	t.Helper()
	var e refusal
	r.JSON(t, &e)
	if r.Status != status || e.Error.Type != kind || e.Error.Code != fmt.Sprint(status) && e.Error.Code != "model_not_found" {
		t.Errorf("%d %s, expected %d with type %s", r.Status, r.Body, status, kind)
	}
	for _, w := range words {
		if !strings.Contains(e.Error.Message, w) {
			t.Errorf("message %q does not say %q", e.Error.Message, w)
		}
	}
}

// TestKeyLifeCycle goes through everything that can happen to a virtual key, in LiteLLM's words.
func TestKeyLifeCycle(t *testing.T) {
	t.Parallel()
	s := harness.Up(t, harness.Options{})
	var made struct {
		Key     string   `json:"key"`
		Token   string   `json:"token"`
		KeyName string   `json:"key_name"`
		Models  []string `json:"models"`
		Expires string   `json:"expires"`
	}
	manage(t, s, http.MethodPost, "/key/generate", map[string]any{
		"key_alias": "life", "models": []string{harness.GPT}, "user_id": "dana", "duration": "1h", "max_budget": 5, "metadata": map[string]any{"cost_center": "42"},
	}, &made)
	if len(made.Token) != 64 || made.Token == made.Key || !strings.HasSuffix(made.Key, made.KeyName[len(made.KeyName)-4:]) || made.Expires == "" {
		t.Errorf("%+v", made)
	}
	if r := chat(t, s, made.Key, harness.GPT); r.Status != http.StatusOK {
		t.Fatalf("a fresh key: %d %s", r.Status, r.Body)
	}
	wantRefusal(t, chat(t, s, made.Key, harness.Sonnet), http.StatusForbidden, "key_model_access_denied", harness.Sonnet)

	s.Calls(t, "life", 2)
	var info struct {
		Info struct {
			Alias     string         `json:"key_alias"`
			Spend     float64        `json:"spend"`
			MaxBudget float64        `json:"max_budget"`
			UserID    string         `json:"user_id"`
			Metadata  map[string]any `json:"metadata"`
			Blocked   *bool          `json:"blocked"`
		} `json:"info"`
	}
	harness.Poll(t, 10*time.Second, "spend of the key", func() error {
		manage(t, s, http.MethodGet, "/key/info?key="+made.Key, nil, &info)
		if info.Info.Spend == 0 {
			return fmt.Errorf("spend is 0")
		}
		return nil
	})
	if i := info.Info; i.Alias != "life" || i.MaxBudget != 5 || i.UserID != "dana" || i.Metadata["cost_center"] != "42" {
		t.Errorf("%+v", i)
	}
	own := s.Call(t, harness.Request{Method: http.MethodGet, Path: "/key/info", Key: made.Key})
	if own.Status != http.StatusOK || strings.Contains(string(own.Body), made.Key) {
		t.Errorf("a key asks about itself: %d %s", own.Status, own.Body)
	}

	manage(t, s, http.MethodPost, "/key/update", map[string]any{"key": made.Key, "models": []string{harness.GPT, harness.Sonnet}}, nil)
	if r := chat(t, s, made.Key, harness.Sonnet); r.Status != http.StatusOK {
		t.Errorf("after the update: %d %s", r.Status, r.Body)
	}
	manage(t, s, http.MethodPost, "/key/block", map[string]any{"key": made.Key}, nil)
	if r := chat(t, s, made.Key, harness.GPT); r.Status != http.StatusUnauthorized || !strings.Contains(strings.ToLower(string(r.Body)), "blocked") {
		t.Errorf("a blocked key: %d %s", r.Status, r.Body)
	}
	manage(t, s, http.MethodPost, "/key/unblock", map[string]any{"key": made.Key}, nil)
	if r := chat(t, s, made.Key, harness.GPT); r.Status != http.StatusOK {
		t.Errorf("an unblocked key: %d %s", r.Status, r.Body)
	}
	listed(t, s, made.Token, true)
	manage(t, s, http.MethodPost, "/key/delete", map[string]any{"keys": []string{made.Key}}, nil)
	listed(t, s, made.Token, false)
	wantRefusal(t, chat(t, s, made.Key, harness.GPT), http.StatusUnauthorized, "token_not_found_in_db")
}

func listed(t *testing.T, s *harness.Stack, token string, want bool) {
	t.Helper()
	var list struct {
		Keys []struct {
			Token string `json:"token"`
		} `json:"keys"`
		TotalCount int `json:"total_count"`
	}
	manage(t, s, http.MethodGet, "/key/list?return_full_object=true&size=100", nil, &list)
	var tokens []string
	for _, k := range list.Keys {
		tokens = append(tokens, k.Token)
	}
	if slices.Contains(tokens, token) != want {
		t.Errorf("/key/list holds %v (%d); the key should be there: %v", tokens, list.TotalCount, want)
	}
}

// TestKeyLimits is what happens to keys that may not, in LiteLLM's words and in those of other dialects.
func TestKeyLimits(t *testing.T) {
	t.Parallel()
	s := harness.Up(t, harness.Options{})
	t.Run("budget", func(t *testing.T) {
		key := s.NewKey(t, "poor", map[string]any{"max_budget": 0.0000001})
		r := chat(t, s, key, harness.GPT)
		if r.Status == http.StatusOK {
			s.Calls(t, "poor", 1)
			r = chat(t, s, key, harness.GPT)
		}
		var e refusal
		r.JSON(t, &e)
		if r.Status != http.StatusTooManyRequests && r.Status != http.StatusBadRequest || e.Error.Type != "budget_exceeded" || r.Header.Get("x-should-retry") != "false" {
			t.Errorf("%d %v %s", r.Status, r.Header, r.Body)
		}
		if !strings.Contains(e.Error.Message, "udget") {
			t.Errorf("message %q", e.Error.Message)
		}
		m := s.Call(t, harness.Request{Method: http.MethodPost, Path: "/v1/messages", Key: key, Body: chatBody(harness.Sonnet, "x")})
		if m.Status != r.Status || !strings.Contains(string(m.Body), `"type":"error"`) {
			t.Errorf("Anthropic's dialect: %d %s", m.Status, m.Body)
		}
	})
	t.Run("spent", func(t *testing.T) {
		key := s.NewKey(t, "spent", map[string]any{"max_budget": 0.01})
		for i := range 50 {
			body := chatBody(harness.Opus, "Spend it [[fake: tokens=200]]")
			r := s.Call(t, harness.Request{Method: http.MethodPost, Path: "/v1/chat/completions", Key: key, Body: body})
			if r.Status == http.StatusOK {
				continue
			}
			var e refusal
			r.JSON(t, &e)
			if i == 0 || e.Error.Type != "budget_exceeded" {
				t.Errorf("call %d: %d %s", i, r.Status, r.Body)
			}
			return
		}
		t.Error("fifty calls did not exhaust a budget of one cent")
	})
	t.Run("expired", func(t *testing.T) {
		key := s.NewKey(t, "late", map[string]any{"duration": "1s"})
		harness.Poll(t, 10*time.Second, "expiry", func() error {
			r := chat(t, s, key, harness.GPT)
			if r.Status == http.StatusOK {
				return fmt.Errorf("still good")
			}
			var e refusal
			r.JSON(t, &e)
			if r.Status != http.StatusUnauthorized && r.Status != http.StatusBadRequest || e.Error.Type != "expired_key" {
				t.Errorf("%d %s", r.Status, r.Body)
			}
			return nil
		})
	})
	t.Run("rate", func(t *testing.T) {
		key := s.NewKey(t, "slow", map[string]any{"rpm_limit": 1})
		chat(t, s, key, harness.GPT)
		r := chat(t, s, key, harness.GPT)
		if r.Status != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
			t.Errorf("%d %v %s", r.Status, r.Header, r.Body)
		}
	})
	t.Run("management", func(t *testing.T) {
		key := s.NewKey(t, "member", nil)
		r := s.Call(t, harness.Request{Method: http.MethodPost, Path: "/key/generate", Key: key, Body: map[string]any{"max_budget": 1e6}})
		if r.Status < 401 || r.Status > 403 {
			t.Errorf("a virtual key makes keys: %d %s", r.Status, r.Body)
		}
	})
}

// TestModelInfo asks as both generations of Cline do.
func TestModelInfo(t *testing.T) {
	t.Parallel()
	s := harness.Up(t, harness.Options{})
	key := s.NewKey(t, "info", map[string]any{"models": []string{harness.Sonnet, harness.GPT}})
	for _, path := range []string{"/v1/model/info", "/model/info"} {
		for name, header := range map[string]map[string]string{
			"x-litellm-api-key": {"x-litellm-api-key": key}, "x-litellm-api-key with Bearer": {"x-litellm-api-key": "Bearer " + key}, "authorization": {"Authorization": "Bearer " + key},
		} {
			r := s.Call(t, harness.Request{Method: http.MethodGet, Path: path, Key: "-", Header: header})
			if r.Status != http.StatusOK {
				t.Errorf("%s, %s: %d %s", path, name, r.Status, r.Body)
				continue
			}
			modelInfo(t, r)
		}
		if r := s.Call(t, harness.Request{Method: http.MethodGet, Path: path, Key: "-"}); r.Status != http.StatusUnauthorized {
			t.Errorf("%s without a key: %d %s", path, r.Status, r.Body)
		}
	}
}

func modelInfo(t *testing.T, r harness.Reply) {
	t.Helper()
	var got struct {
		Data []struct {
			ModelName string         `json:"model_name"`
			Params    map[string]any `json:"litellm_params"`
			Info      map[string]any `json:"model_info"`
		} `json:"data"`
	}
	r.JSON(t, &got)
	var names []string
	for _, m := range got.Data {
		names = append(names, m.ModelName)
		if m.ModelName == harness.Sonnet && (m.Info["input_cost_per_token"] != 3e-6 || m.Info["cache_read_input_token_cost"] != 3e-7 ||
			m.Info["supports_prompt_caching"] != true || m.Info["supports_vision"] != true || m.Info["max_output_tokens"] == nil || m.Params["model"] == nil) {
			t.Errorf("model_info of %s: %v, %v", m.ModelName, m.Params, m.Info)
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{harness.Sonnet, harness.GPT}) {
		t.Errorf("the key may see %v", names)
	}
	if strings.Contains(string(r.Body), "wJalrXUtnFEMI") {
		t.Error("the answer holds a provider's secret")
	}
}
