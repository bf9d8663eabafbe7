# Tamiz. `make help` lists what can be done; Go, a C++ compiler and make are all it needs.
GO      ?= go
SCHOOLS ?= 5000
LDFLAGS := -s -w
export CGO_ENABLED = 1
export TAMIZ_DATA    ?= $(abspath ../shared/data)
export TAMIZ_VECTORS ?= $(abspath ../shared/vectors)
export TAMIZ_SCHEMAS ?= $(abspath ../shared/schemas)

help: ## say what each target does
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

tools: ## look for the tools that building needs
	@scripts/need-tools

build: tools ## build bin/tamiz
	$(GO) build -trimpath -ldflags "$(LDFLAGS)" -o bin/tamiz ./cmd/tamiz

run: build ## from a synthetic sample to a published snapshot, in demo/
	@test -f demo/tamiz.yml || bin/tamiz init mx demo --sample --schools $(SCHOOLS)
	@bin/tamiz run --project demo

test: tools check ## check, then run all tests; real files are used where ../shared/data is
	@scripts/audit-tools
	@scripts/python-tools >/dev/null
	@test -d "$(TAMIZ_DATA)" || echo "the real files are not in $(TAMIZ_DATA): tests against them are SKIPPED (set TAMIZ_DATA)"
	@test -d "$(TAMIZ_VECTORS)" || echo "the reference vectors are not in $(TAMIZ_VECTORS): tests against them are SKIPPED (set TAMIZ_VECTORS)"
	@test -d "$(TAMIZ_SCHEMAS)" || echo "the published JSON Schemas are not in $(TAMIZ_SCHEMAS): tests against them are SKIPPED (set TAMIZ_SCHEMAS)"
	$(GO) test -timeout 40m ./...

check: tools ## formatting, vet and staticcheck
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo "these files are not formatted: run gofmt -w ."; exit 1; }
	$(GO) vet ./...
	$(GO) tool -modfile=tools/go.mod staticcheck ./...

faults: tools ## strike the sample with every fault of a source, and write docs/faults.md
	$(GO) test ./cmd/tamiz -run TestFaults -update-faults

docs: tools ## write the data dictionaries, docs/dictionary-*.md
	$(GO) test ./cmd/tamiz -run TestDocs -update-docs

real: tools ## run over the real files, and write docs/real-files.md
	$(GO) test ./cmd/tamiz -run 'TestReal_TheRealFilesBecomeASnapshot/report' -update-real

fuzz: tools ## fuzz every decoder for a minute each (FUZZTIME=10m for more)
	scripts/fuzz $(or $(FUZZTIME),1m)

bench: tools ## time a cold run against the yardstick (BENCH="-repeat 1 -schools 20000")
	$(GO) run ./bench $(BENCH)

year: tools ## live through two simulated years with every fault, and write docs/year.md
	$(GO) test ./cmd/tamiz -run TestYear -year -timeout 2h

soak: tools ## a country and ten times that, from cold, and the simulated years: writes docs/soak.md and docs/year.md
	$(GO) run ./bench -soak docs/soak.md
	$(MAKE) year

kills: tools ## kill the daemon 200 times at random moments: writes docs/kills.md
	$(GO) test ./cmd/tamiz -count=1 -timeout 60m -run TestSchedule_SurvivesKills -kills 200 -update-kills

audit: tools ## prove in full what make test draws samples of: the real snapshot rebuilt with one worker too, every column's lineage, why for 1,000 national rows and all real profiles, diff of three changes of the sample
	$(GO) test ./cmd/tamiz -count=1 -timeout 120m -run 'TestReal_TheRealFilesBecomeASnapshot|TestRebuild|TestLineage|TestWhy|TestRun_SecondRunDoesNothing' -audit -v

clean: ## remove what was built, and the demo
	rm -rf bin demo

.PHONY: help tools build run test check faults docs real fuzz bench year soak kills audit clean
.DEFAULT_GOAL := help
