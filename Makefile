# make demo and make test need Go alone; test-clients needs npm, image needs Docker.
.DEFAULT_GOAL := help
.PHONY: help demo test test-clients lint quality soak golden bench build image

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

test-clients: build $(CLIENTS)/node_modules/.package-lock.json ## Drive the built server with the TypeScript SDK and the inspector (npm)
	@cd $(CLIENTS) && BIN='$(CURDIR)/$(BIN)' npm test --silent

$(CLIENTS)/node_modules/.package-lock.json: $(CLIENTS)/package.json $(CLIENTS)/package-lock.json $(CLIENTS)/.npmrc
	cd $(CLIENTS) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

lint: ## Check format, vet, staticcheck, known vulnerabilities, go.mod and the npm lock
	@unformatted=$$(gofmt -l . .ci/gotest); if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	go vet ./... ./.ci/gotest
	go tool staticcheck ./... ./.ci/gotest
	go mod verify
	go mod tidy -diff
	@if grep -n '"resolved"' $(CLIENTS)/package-lock.json; then echo "package-lock.json names a registry"; exit 1; fi
	@.ci/vulncheck '$(VULNDB)'

quality: ## Score search on the public corpora beside this folder (minutes)
	CALL_LOGS_QUALITY=1 go test -count=1 -run TestQuality -v ./internal/mirror/store

soak: ## Put the sync through 100,000 random histories (an hour)
	SOAK=100000 go test ./internal/mirror -run TestHistories -timeout 90m

golden: ## Rewrite the snapshots that tests compare with
	go test -count=1 -run 'Golden|Surface' $$(grep -rlE 'flag\.Bool\("update"' --include='*_test.go' . | xargs -r -n1 dirname | sort -u) -update

bench: ## Run the Go benchmarks
	go test -run '^$$' -bench . -benchmem ./...

build: ## Build the static binary, with the time zones in it
	CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) .

image: ## Build the container image
	docker build --build-arg VERSION='$(VERSION)' -t call-logs-mcp:'$(VERSION)' .
