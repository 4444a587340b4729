package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"testing"
	"time"
)

func TestOptionsRefuseNonsense(t *testing.T) {
	for _, f := range []flags{{Faults: []string{"statsu=500"}}, {Faults: []string{"status=many"}}, {AWS: []string{"only-an-id"}}} {
		if _, err := f.options(); err == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
	o, err := flags{Faults: []string{"status=500 times=2"}, AWS: []string{"id:secret:token"}}.options()
	if err != nil || o.Faults[0].Status != 500 || o.AWS[0].Token != "token" {
		t.Errorf("%+v, %v", o, err)
	}
}

// TestRunTellsItsAddress replaces stdout for the time of the test, since the first line there is the contract.
func TestRunTellsItsAddress(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stdout
	os.Stdout = w
	defer func() { os.Stdout = old }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- run(ctx, flags{Listen: "127.0.0.1:0"}) }()
	line, err := bufio.NewReader(r).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ URL string }
	if err := json.Unmarshal(line, &out); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(out.URL + "/_fake/stats")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", resp, err)
	}
	resp.Body.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
