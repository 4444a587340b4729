# Weir. `make help` lists the targets.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  = -s -w -X weir/internal/app.version=$(VERSION)
BIN      = bin
# The index's C++ library would otherwise hand on all its symbols to whoever loads the program: 6 MB that are read at each start.
ifeq ($(shell uname -s),Linux)
LDFLAGS += -extldflags "-Wl,--no-export-dynamic -Wl,--gc-sections"
endif
# test/setup.sh puts an S3 server there, and a Node where the machine has none that is new enough.
export PATH := $(CURDIR)/test/.work/node/bin:$(CURDIR)/test/.work/bin:$(PATH)

.PHONY: help build run test test-go test-ui test-clients check bench bench-traces torture ui clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

build: ## build weir and weir-fakeupstream into bin/
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/weir ./cmd/weir-fakeupstream

run: build ## build and serve on http://127.0.0.1:4000, open to this machine
	$(BIN)/weir serve --local

test: ## everything: installs what the tests need, then runs all rings
	./test/setup.sh
	$(MAKE) check test-go test-ui test-clients

test-go: ## package tests and store suites; needs Go and a C compiler only
	$(GO) test ./...

test-ui: ## lint, types, unit tests and bundle size of the UI; ui/dist must match its sources
	./test/ui.sh

test-clients: build ## the built binary with official SDKs, coding agents and Chromium
	cd test && WEIR_BIN=$(CURDIR)/$(BIN) $(GO) test -count=1 -timeout 25m ./...

check: ## formatting, vet, licences of what is linked
	@test -z "$$(gofmt -l cmd internal test ui/*.go)" || { gofmt -l cmd internal test ui/*.go; echo 'gofmt the files above'; exit 1; }
	$(GO) vet ./...
	./test/licences.sh

bench: build ## ratios against a reverse proxy in the same run; writes docs/benchmarks.md
	cd test && WEIR_BIN=$(CURDIR)/$(BIN) $(GO) run ./bench

bench-traces: build ## ingest and queries at ten million spans, beside MLflow and Phoenix; writes docs/benchmarks-traces.md
	test/bench/peers.sh
	cd test && WEIR_BIN=$(CURDIR)/$(BIN) $(GO) run ./bench -suite traces

torture: build ## kill -9 under load, disk low, upstream chaos
	cd test && WEIR_BIN=$(CURDIR)/$(BIN) $(GO) test -count=1 -timeout 30m -tags torture -run Torture ./...
	$(GO) test -count=1 -timeout 30m -tags torture -run TestKill ./internal/surface/otlp

ui: ## rebuild ui/dist (needs Node)
	cd ui && npm ci && npm run build

clean: ## remove what builds and tests made
	rm -rf $(BIN) test/.work ui/node_modules
