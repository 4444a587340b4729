package remote

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Tail is how a live tail is shown.
type Tail struct {
	Filter string
	JSON   bool // a line of JSON per span
	Full   bool // previews in full, and errors
	Out    io.Writer
	Err    io.Writer // of notices about the connection
	Style  Style
	Wait   time.Duration // before the first new connection; doubles up to twenty times as much. 0 = 500 ms
	Silent time.Duration // after which the connection is taken for dead; 0 = 45 s, three beats of the server
}

// row is what is shown of a span.
type row struct {
	Trace         string   `json:"trace"`
	ID            string   `json:"id"`
	Name          string   `json:"name"`
	Kind          string   `json:"kind"`
	Start         string   `json:"start"`
	DurationMS    float64  `json:"duration_ms"`
	FirstTokenMS  *float64 `json:"first_token_ms"`
	Status        string   `json:"status"`
	HTTP          int      `json:"http"`
	ErrorType     string   `json:"error_type"`
	ErrorText     string   `json:"error_text"`
	Model         string   `json:"model"`
	Usage         usage    `json:"usage"`
	CostUSD       float64  `json:"cost_usd"`
	User          string   `json:"user"`
	Email         string   `json:"email"`
	EndUser       string   `json:"end_user"`
	KeyAlias      string   `json:"key_alias"`
	InputPreview  string   `json:"input_preview"`
	OutputPreview string   `json:"output_preview"`
}

type usage struct {
	Input        int64 `json:"input"`
	CacheRead    int64 `json:"cache_read"`
	CacheWrite   int64 `json:"cache_write"`
	CacheWrite1h int64 `json:"cache_write_1h"`
	Output       int64 `json:"output"`
}

func (u usage) prompt() int64 { return u.Input + u.CacheRead + u.CacheWrite + u.CacheWrite1h }

// Follow shows spans until ctx ends, which is no error, or the server refuses. A connection that is lost is made again;
// what was recorded meanwhile is not shown, which a notice says.
func (c *Client) Follow(ctx context.Context, t Tail) error {
	wait := orTime(t.Wait, 500*time.Millisecond)
	pause, connected := wait, false
	for {
		begun := time.Now()
		err := c.follow(ctx, &t, func() {
			if connected {
				fmt.Fprintln(t.Err, "connected again; spans recorded meanwhile were not shown")
			}
			connected = true
		})
		var refused *Error
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError && refused.Status != http.StatusTooManyRequests:
			return explain(t.Filter, refused)
		case !connected:
			return err // never reached: the address is wrong, or nobody is there
		}
		if time.Since(begun) > time.Minute {
			pause = wait
		}
		fmt.Fprintf(t.Err, "connection lost (%v); trying again in %v\n", reason(err), pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, 20*wait)
	}
}

func orTime(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

func reason(err error) string {
	if err == nil || errors.Is(err, io.EOF) {
		return "the server closed it"
	}
	if errors.Is(err, context.Canceled) {
		return "the server went silent"
	}
	return err.Error()
}

func (c *Client) follow(ctx context.Context, t *Tail, connected func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silent := orTime(t.Silent, 45*time.Second)
	alarm := time.AfterFunc(silent, cancel)
	defer alarm.Stop()
	resp, err := c.send(ctx, http.MethodGet, "/live?filter="+url.QueryEscape(t.Filter), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	connected()
	in := bufio.NewReader(resp.Body)
	event := ""
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return err
		}
		alarm.Reset(silent)
		line = bytes.TrimRight(line, "\r\n")
		switch name, value, _ := bytes.Cut(line, []byte(": ")); {
		case len(line) == 0:
			event = ""
		case string(name) == "event":
			event = string(value)
		case string(name) == "data" && event == "span":
			if err := t.show(value); err != nil {
				return err
			}
		case string(name) == "data" && event == "lagged":
			return errors.New("this terminal fell behind")
		}
	}
}

func (t *Tail) show(data []byte) error {
	if t.JSON {
		_, err := fmt.Fprintf(t.Out, "%s\n", data)
		return err
	}
	var r row
	if err := json.Unmarshal(data, &r); err != nil {
		return fmt.Errorf("the server sent what is not a span: %w", err)
	}
	_, err := io.WriteString(t.Out, t.Style.line(&r, t.Full))
	return err
}
