package bedrock

import (
	"encoding/json"
	"net/http"
	"os"
	"testing"
	"time"

	"weir/internal/gateway"
)

// TestSignatures compares with what botocore signs for the same requests (testdata/signatures.json was made with it):
// service name, the model id as one escaped segment, the canonical path escaped twice, session tokens.
func TestSignatures(t *testing.T) {
	data, err := os.ReadFile("testdata/signatures.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Model, Region, Token, URL, Body, Authorization string
		AMZDate                                        string `json:"amz_date"`
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Model, func(t *testing.T) {
			u := newUpstream(t, gateway.Target{Model: c.Model, AWS: gateway.AWS{
				Region: c.Region, AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
				SessionToken: gateway.Secret(c.Token),
			}})
			at, err := time.Parse("20060102T150405Z", c.AMZDate)
			if err != nil {
				t.Fatal(err)
			}
			u.now = func() time.Time { return at }
			req, err := u.request(t.Context(), "converse", acceptJSON, []byte(c.Body))
			if err != nil {
				t.Fatal(err)
			}
			if got := req.URL.String(); got != c.URL {
				t.Errorf("url\n got %s\nwant %s", got, c.URL)
			}
			if got := req.Header.Get("Authorization"); got != c.Authorization {
				t.Errorf("authorization\n got %s\nwant %s", got, c.Authorization)
			}
		})
	}
}

func TestBearerInsteadOfSignature(t *testing.T) {
	clearAWS(t)
	t.Setenv("AWS_BEARER_TOKEN_BEDROCK", "from-env")
	for name, c := range map[string]struct {
		target gateway.Target
		want   string
	}{
		"target":      {gateway.Target{AWS: gateway.AWS{BearerToken: "from-target"}}, "Bearer from-target"},
		"api key":     {gateway.Target{APIKey: "from-key"}, "Bearer from-key"},
		"environment": {gateway.Target{}, "Bearer from-env"},
	} {
		c.target.Model, c.target.AWS.Region = "amazon.nova-pro-v1:0", "us-east-1"
		req, err := newUpstream(t, c.target).request(t.Context(), "converse", acceptJSON, []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if got := req.Header.Get("Authorization"); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	static := newUpstream(t, gateway.Target{Model: "m", AWS: gateway.AWS{Region: "us-east-1", AccessKeyID: "A", SecretAccessKey: "B"}})
	if static.bearer != "" {
		t.Error("the environment's bearer token beat the target's own keys")
	}
}

func TestRegion(t *testing.T) {
	arn := "arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/global.anthropic.claude-sonnet-4-5-20250929-v1:0"
	for name, c := range map[string]struct {
		target string
		env    map[string]string
		model  string
		want   string
	}{
		"target first":       {"eu-west-1", map[string]string{"AWS_REGION": "us-east-1"}, arn, "https://bedrock-runtime.eu-west-1.amazonaws.com"},
		"AWS_REGION":         {"", map[string]string{"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-2"}, arn, "https://bedrock-runtime.us-east-1.amazonaws.com"},
		"AWS_DEFAULT_REGION": {"", map[string]string{"AWS_DEFAULT_REGION": "us-east-2", "AWS_REGION_NAME": "us-west-2"}, arn, "https://bedrock-runtime.us-east-2.amazonaws.com"},
		"AWS_REGION_NAME":    {"", map[string]string{"AWS_REGION_NAME": "us-west-2"}, arn, "https://bedrock-runtime.us-west-2.amazonaws.com"},
		"ARN":                {"", nil, arn, "https://bedrock-runtime.ap-northeast-1.amazonaws.com"},
		"China":              {"cn-north-1", nil, "m", "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"},
	} {
		t.Run(name, func(t *testing.T) {
			clearAWS(t)
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			u := newUpstream(t, gateway.Target{Model: c.model, AWS: gateway.AWS{Region: c.target}})
			if got := u.base.String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	t.Run("profile", func(t *testing.T) {
		clearAWS(t)
		file := writeFile(t, "config", "[profile team]\nregion = sa-east-1\n")
		t.Setenv("AWS_CONFIG_FILE", file)
		if u := newUpstream(t, gateway.Target{Model: "m", AWS: gateway.AWS{Profile: "team"}}); u.region != "sa-east-1" {
			t.Errorf("region %q", u.region)
		}
	})
	t.Run("an ARN names no other host", func(t *testing.T) { // below a pattern the client writes it
		for _, region := range []string{"example.com/", "x.example.com", "user@example.com", "us-east-1#", "..", ""} {
			if got := arnRegion("arn:aws:bedrock:" + region + ":1:inference-profile/m"); got != "" {
				t.Errorf("%q became the region %q", region, got)
			}
		}
		for _, region := range []string{"us-gov-west-1", "ap-southeast-2", "us-isob-east-1"} {
			if got := arnRegion("arn:aws:bedrock:" + region + ":1:inference-profile/m"); got != region {
				t.Errorf("region %q became %q", region, got)
			}
		}
	})
	t.Run("none", func(t *testing.T) {
		clearAWS(t)
		if _, err := New(gateway.Target{Model: "m"}, gateway.Env{HTTP: http.DefaultClient}); err == nil {
			t.Error("no region was accepted")
		}
		if _, err := New(gateway.Target{Model: "m", BaseURL: "http://127.0.0.1:1/x"}, gateway.Env{HTTP: http.DefaultClient}); err != nil {
			t.Error(err)
		}
	})
}
