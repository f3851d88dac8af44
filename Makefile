# The entry for people. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help build run demo test race bench fuzz e2e lint fmt cover check compat acme dist reproduce deb-test proof million queries walks crash scoreboard simulate timing cross amplification guessing connections container

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
CONFIG ?= gateway.yaml
FUZZTIME ?= 20s
GOTESTFLAGS ?=
TOOL := go tool -modfile=tools.mod

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' Makefile

build: ## build bin/jamf-gateway, a static binary
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/jamf-gateway ./cmd/jamf-gateway

run: ## run the gateway with CONFIG=gateway.yaml
	go run -ldflags "-X main.version=$(VERSION)" ./cmd/jamf-gateway serve --config "$(CONFIG)"

demo: ## run a simulated Jamf Pro and the gateway in one process
	go run -ldflags "-X main.version=$(VERSION)" ./cmd/jamf-gateway demo

test: ## run the tests
	go test $(GOTESTFLAGS) ./...

# SQLite's translated code is left alone by the detector: a connection is one goroutine's at a time, and it cost half of the run.
race: ## run the tests with the race detector, in random order
	go test -race -gcflags='modernc.org/sqlite/lib=-race=false' -shuffle=on -timeout 20m $(GOTESTFLAGS) ./...

bench: ## run the benchmarks with allocations
	go test -run '^$$' -bench . -benchmem ./...

million: ## read, publish and serve a million simulated devices and print what it took (needs curl, jq)
	test/bench/million.sh

fuzz: ## run every fuzz target for FUZZTIME=20s
	@grep -rlE '^func Fuzz' --include='*_test.go' --exclude-dir=compat --exclude-dir=acme . | sort | while read -r file; do \
		grep -oE '^func Fuzz[A-Za-z0-9_]*' "$$file" | sed 's/^func //' | while read -r target; do \
			echo "== $$(dirname "$$file") $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5s "$$(dirname "$$file")"; \
		done; \
	done

e2e: ## run the whole house against the simulated Jamf Pro, with sqlite3, promtool, nginx and Prism as witnesses
	go test -tags e2e -count=1 -timeout 15m $(GOTESTFLAGS) ./test/e2e/...

queries: ## ask 10,000 random filters and sorts and hold the answers against an independent evaluator
	QUERIES=10000 go test -tags e2e -count=1 -timeout 60m -v -run TestRandomFilters ./test/e2e

walks: ## walk 100,000 devices at page sizes 7, 100, 2000 and 5000, and 5,000 by one
	WALKS=100000 go test -count=1 -timeout 30m -v -run 'TestAWalk(Yields|ByOne)' ./gateway/server

crash: ## kill the real binary KILLS=500 times over KILL_DEVICES=2000 computers and look at what it serves afterwards
	KILLS=$(or $(KILLS),500) KILL_DEVICES=$(or $(KILL_DEVICES),2000) go test -tags e2e -count=1 -timeout 3h -v -run KillsNever ./test/e2e

scoreboard: ## run every row of the reliability matrix, print a line each, and keep the table in docs/reliability.md (SCOREBOARD=A,B3 for some)
	SCOREBOARD=$(or $(SCOREBOARD),all) SCOREBOARD_DOC=docs/reliability.md go test -tags e2e -count=1 -timeout 40m -run '^TestScoreboard$$' ./test/e2e

simulate: ## live SEEDS=10000 days of the gateway from SEED=1 on, with everything going wrong by seed; JOURNAL=FILE keeps what happened
	SEED=$(SEED) SEEDS=$(or $(SEEDS),10000) JOURNAL=$(JOURNAL) go test -count=1 -timeout 48h -v -run NothingWrong $(GOTESTFLAGS) ./test/simulate

cross: ## ask CROSS=1000000 times as 50 random clients with 64 goroutines and look for values of others (SEED=11)
	CROSS=$(or $(CROSS),1000000) SEED=$(or $(SEED),11) go test -count=1 -timeout 2h -v -run NoByteOfOthers $(GOTESTFLAGS) ./gateway/server

amplification: ## send AMPLIFICATION=300 times what strangers and clients may send at their worst, and weigh answers, memory and time
	AMPLIFICATION=$(or $(AMPLIFICATION),300) go test -count=1 -timeout 10m -v -run TestNothingCosts ./gateway/server

container: ## run the binary as in its container: read-only root, one volume, no shell, no rights (needs root)
	go test -tags e2e -count=1 -v -run 'TestTheImage|TestTheProgramServes' ./test/e2e

connections: ## open CONNECTIONS=1000 connections with TLS to the real binary in each of four states, and hold its memory against what the door counts
	CONNECTIONS=$(or $(CONNECTIONS),1000) go test -tags e2e -count=1 -timeout 10m -v -run TestAConnectionCosts ./test/e2e

guessing: ## guess secrets of the real binary for GUESSING=10 seconds in each of six ways, and hold its processor time against one core
	GUESSING=$(or $(GUESSING),10) go test -tags e2e -count=1 -timeout 10m -v -run TestGuessingCosts ./test/e2e

timing: ## ask TIMING=200000 times with unknown ids, wrong secrets and spoilt tokens and compare the medians
	TIMING=$(or $(TIMING),200000) go test -count=1 -timeout 30m -v -run TestTiming ./gateway/server

proof: ## show a caching proxy losing a living device where the gateway does not (needs nginx)
	@command -v nginx >/dev/null || { echo "make proof needs nginx: apt-get install nginx-light" >&2; exit 1; }
	go test -tags e2e -count=1 -v -run TestACachingProxyLosesADevice ./test/e2e

compat: ## run a real Jamf SDK against the real binary
	cd test/compat && go test -count=1 $(GOTESTFLAGS) ./...

acme: ## let the real binary get its certificate from Pebble, the test authority of Let's Encrypt
	cd test/acme && go test -count=1 $(GOTESTFLAGS) ./...

dist: ## build what is released into dist/: .deb, .tar.gz, SBOM, checksums
	docs/deploy/dist.sh

reproduce: ## build the binary twice in different places and compare the bytes; run it alone as the container would (WARM=1: with the build cache)
	docs/deploy/reproduce.sh

deb-test: ## install, start, upgrade and remove the .deb in a Debian of its own (needs root)
	docs/deploy/deb/test.sh

lint: ## run the linters, which also hold the rooms
	$(TOOL) golangci-lint run ./...
	cd test/compat && go vet ./...
	cd test/acme && go vet ./...

fmt: ## format the code
	$(TOOL) golangci-lint fmt ./...

cover: ## measure which statements the tests reach
	go test -coverpkg=./... -coverprofile=cover.out ./...
	go tool cover -func=cover.out | tail -1

check: ## everything that CI runs (about 10 minutes)
	.ci/run
