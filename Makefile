.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

# The version is stamped below, so Go need not ask git itself; that would fail
# in a checkout that belongs to somebody else.
export GOFLAGS := $(GOFLAGS) -buildvcs=false
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)

TOOLS := $(addprefix bin/tools/,staticcheck opa regal)
MODULES := . .tools .tools/regal
POLICIES := policies
FOLDERS := $(POLICIES) $(wildcard $(POLICIES)/examples/*)

.PHONY: help run build test simulate check bench soak fuzz clean requirements \
	check-format check-vet check-static check-policies check-modules check-repository

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Build and start Doorward with the demo portal on 127.0.0.1:8080
	bin/doorward serve --demo --policies $(POLICIES) --data var

build: ## Build bin/doorward
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/doorward ./cmd/doorward

# The reference model is compared some millions of times by one goroutine for each
# setting, and a schedule of the simulation is one goroutine at a time: with the race
# detector that takes half an hour and finds nothing.
test: ## Install what the tests need, then run all of them, with the race detector where goroutines meet
	@.ci/need cc gcc libc6-dev
	@.ci/need curl curl
	@.ci/need openssl openssl
	@.ci/need initdb postgresql
	@.ci/need pgbouncer pgbouncer
	@.ci/need redis-server redis-server
	CGO_ENABLED=1 go test -race -timeout 30m $$(go list ./... | grep -v -e '/internal/reference$$' -e '/internal/gate/simulation$$')
	go test -timeout 20m ./internal/reference ./internal/gate/simulation

simulate: ## Look for schedules that break the promise of freshness, for an hour (DURATION=8h to change)
	DOORWARD_SIMULATION_FOR=$(or $(DURATION),1h) go test -run '^TestThePromiseIsKept$$' -count 1 -timeout 0 -v ./internal/gate/simulation

check: check-format check-vet check-static check-policies check-modules check-repository ## Check formatting, code, policies and modules
	@echo "make check: all is well"

check-format:
	@unformatted="$$(git ls-files -co --exclude-standard '*.go' | xargs -r gofmt -l)"; \
	if [ -n "$$unformatted" ]; then echo "not formatted; run gofmt -w on:"; echo "$$unformatted"; exit 1; fi

check-vet:
	go vet ./...

check-static: bin/tools/staticcheck
	bin/tools/staticcheck ./...

# Each folder is a policy of its own. The impure built-ins are refused by the product's
# own loader, in its tests.
check-policies: bin/tools/opa bin/tools/regal
	@unformatted="$$(bin/tools/opa fmt --list $(POLICIES))"; \
	if [ -n "$$unformatted" ]; then echo "not formatted; run bin/tools/opa fmt -w on:"; echo "$$unformatted"; exit 1; fi
	@for folder in $(FOLDERS); do \
		rules="$$(find "$$folder/rules" "$$folder/invariants" -maxdepth 0 2>/dev/null || true)"; echo "opa and regal in $$folder"; \
		bin/tools/opa check --strict $$rules && bin/tools/opa test $$rules && \
		REGAL_DISABLE_VERSION_CHECK=1 bin/tools/regal lint --no-color $$rules || exit 1; \
	done
	go test ./internal/policy -run '^TestEveryProfileHoldsTheInvariants$$'

check-modules:
	@for module in $(MODULES); do echo "go mod tidy -diff in $$module"; go -C "$$module" mod tidy -diff; done

check-repository:
	go test ./internal/repo

bench: build bin/tools/opa ## Measure what docs/performance.md states (BENCH='-sizes 1000' to choose)
	go build -o bin/bench ./internal/bench
	bin/bench -doorward bin/doorward -opa bin/tools/opa $(BENCH)

soak: build ## Load one sidecar for an hour and print how it grows (DURATION=8h to change)
	go build -o bin/bench ./internal/bench
	bin/bench -doorward bin/doorward -soak $(or $(DURATION),1h)

fuzz: ## Fuzz every target for 30 seconds (FUZZTIME=5m to change)
	@.ci/fuzz $(or $(FUZZTIME),30s)

requirements: ## Rewrite the tests named in docs/requirements.md from their citations
	go test ./internal/repo -run '^TestRequirementsPage$$' -update

clean: ## Remove what was built, and the demo's data
	rm -rf bin var

# Tools are pinned in modules of their own and built once per checkout. Regal's
# module is apart because it needs an older OPA than the product's.
bin/tools/staticcheck bin/tools/opa &: .tools/go.mod .tools/go.sum
	CGO_ENABLED=0 go build -C .tools -trimpath -o "$(CURDIR)/bin/tools/" tool
	@touch bin/tools/staticcheck bin/tools/opa

bin/tools/regal: .tools/regal/go.mod .tools/regal/go.sum
	CGO_ENABLED=0 go build -C .tools/regal -trimpath -o "$(CURDIR)/bin/tools/" tool
	@touch $@
