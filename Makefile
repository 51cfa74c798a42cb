# make demo and make test need Go alone; test-clients and conformance need npm, image needs Docker.
.DEFAULT_GOAL := help
.PHONY: help demo test test-clients conformance lint quality soak golden bench bench-http build image

BIN     := call-logs-mcp
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
CLIENTS := testdata/clients

# A copy of the Go vulnerability database, for machines that cannot reach the public one.
VULNDB ?= ../shared/vulndb/go-vulndb.tgz

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## Build the server and walk through its sample calls
	@./$(BIN) demo

test: ## Run all Go tests and count them
	@go run ./.ci/gotest ./...

test-clients: build $(CLIENTS)/node_modules/.package-lock.json ## Drive the built server with the TypeScript and Go SDKs and the inspector (npm)
	@cd $(CLIENTS)/gosdk && BIN='$(CURDIR)/$(BIN)' go test -count=1 ./...
	@cd $(CLIENTS) && BIN='$(CURDIR)/$(BIN)' npm test --silent

conformance: build $(CLIENTS)/node_modules/.package-lock.json ## Run the MCP conformance suite of both revisions (npm)
	@fixtures=$$(mktemp -d) && trap 'rm -rf "$$fixtures"' EXIT && go build -o "$$fixtures/fixtures" ./testdata/conformance/fixtures && \
		cd $(CLIENTS) && BIN='$(CURDIR)/$(BIN)' FIXTURES="$$fixtures/fixtures" npm run --silent conformance

$(CLIENTS)/node_modules/.package-lock.json: $(CLIENTS)/package.json $(CLIENTS)/package-lock.json $(CLIENTS)/.npmrc
	cd $(CLIENTS) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

lint: ## Check format, vet, staticcheck, known vulnerabilities, go.mod and the npm lock
	@unformatted=$$(gofmt -l . .ci/gotest); if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	go vet ./... ./.ci/gotest ./testdata/conformance/fixtures
	go tool staticcheck ./... ./.ci/gotest ./testdata/conformance/fixtures
	go mod verify
	go mod tidy -diff
	@if grep -n '"resolved"' $(CLIENTS)/package-lock.json; then echo "package-lock.json names a registry"; exit 1; fi
	@.ci/vulncheck '$(VULNDB)'

quality: ## Score search on the public corpora beside this folder (minutes)
	CALL_LOGS_QUALITY=1 go test -count=1 -run TestQuality -v ./internal/mirror/store

soak: ## Put sync through 100,000 random histories, or as many as an hour allows, and serving through many questions and stops
	SOAK=100000 go test ./internal/mirror -run TestHistories -count=1 -v -timeout 60m
	SOAK=1 go test ./internal/serve ./internal/app -count=1 -timeout 40m

golden: ## Rewrite the snapshots that tests compare with
	go test -count=1 -run 'Golden|Surface' $$(grep -rlE 'flag\.Bool\("update"' --include='*_test.go' . | xargs -r -n1 dirname | sort -u) -update

# The calls that bench fills the copy with; a million takes a quarter of an hour and 5 GB.
BENCH_CALLS ?= 10000,100000
COPY        := ./internal/mirror/store

bench: ## Run the benchmarks, and set the copy beside its goals (BENCH_CALLS=1000000 for a million)
	go test -run '^$$' -bench . -benchmem $$(go list ./... | grep -v '/mirror/store$$')
	BENCH_CALLS='$(BENCH_CALLS)' go test -run '^$$' -bench . -timeout 90m $(COPY)

bench-http: ## Put the server under load over HTTP, over a copy of 100,000 calls (minutes)
	CALL_LOGS_LOAD=60s go test -run '^$$' -bench HTTP -benchtime 1x -timeout 30m ./internal/app

build: ## Build the static binary, with the time zones in it
	CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) .

image: ## Build the container image; BASE=golang:1.26-alpine@sha256:… pins what it is built with
	docker build --build-arg VERSION='$(VERSION)' $(if $(BASE),--build-arg BASE='$(BASE)') -t call-logs-mcp:'$(VERSION)' .
