// Package remote talks to a running Weir from the command line: it follows its live tail, and replays calls.
package remote

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Client is how Weir is reached.
type Client struct {
	URL     string // "" = http://127.0.0.1:4000
	Key     string
	Project string // for the master key
	HTTP    *http.Client
}

// Error is a refusal.
type Error struct {
	Status   int    `json:"-"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Field    string `json:"field"`
	Position *int   `json:"position"`
}

func (e *Error) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("the server answered %d", e.Status)
	}
	return e.Message
}

func (c *Client) base() string {
	return strings.TrimRight(cmp.Or(c.URL, "http://127.0.0.1:4000"), "/")
}

func (c *Client) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base()+"/api/v1"+path, r)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.Key)
	}
	if c.Project != "" {
		req.Header.Set("X-Weir-Project", c.Project)
	}
	req.Header.Set("User-Agent", "weir-cli")
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, refusal(resp)
}

func refusal(resp *http.Response) error {
	e := &struct {
		Error *Error `json:"error"`
	}{}
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if json.Unmarshal(b, e) != nil || e.Error == nil {
		return &Error{Status: resp.StatusCode}
	}
	e.Error.Status = resp.StatusCode
	return e.Error
}

// call makes a request and decodes the answer.
func (c *Client) call(ctx context.Context, method, path string, body, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	resp, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(out)
}

// callTime is a little more than a replay may take.
const callTime = 130 * time.Second
