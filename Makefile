# SPDX-License-Identifier: MIT
#
# make help lists what there is. Everything here only forwards: go test ./... alone passes on a bare machine.

GO   ?= go
FUZZ ?= 30

.PHONY: help bootstrap build test tools lint sources sysroot unit race fuzz shown compare readme answers bench clean

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/\1 \2/p' Makefile | while read -r name what; do \
		printf '  make %-10s %s\n' "$$name" "$$what"; done

bootstrap: ## climb the seed chain, into build/
	$(GO) run ./cmd/rung bootstrap

build: ## make the program, build/rung
	CGO_ENABLED=0 $(GO) build -trimpath -o build/rung ./cmd/rung

test: export RUNG_NO_SKIP = 1
test: tools ## install what is missing, then run every check; no test may be skipped
	$(MAKE) lint
	$(MAKE) sysroot
	$(MAKE) shown
	$(MAKE) compare
	$(MAKE) readme
	$(MAKE) fuzz
	$(MAKE) race
	$(MAKE) unit

tools: ## install the tools that .ci/tools lists, and a kernel for guests
	.ci/install-tools
	.ci/install-kernel

lint: ## gofmt, vet, staticcheck, go.mod
	.ci/lint

sources: ## fetch the sources of other people, into build/sources
	$(GO) run ./cmd/rung source mirror build/sources

sysroot: sources ## climb the chain from these, for the tests of what it ends in
	$(GO) run ./cmd/rung bootstrap --mirror build/sources

unit: ## go test ./..., in short
	.ci/gotest

race: ## the same, watched by the race detector, without what needs minutes
	RUNG_NO_SKIP= .ci/gotest -race

fuzz: ## every fuzz target, FUZZ seconds (30) in all
	.ci/fuzz $(FUZZ)

shown: ## what a user is promised, as root and as an ordinary user, without a compiler
	.ci/shown

compare: sources ## climb on every machine of this host, and compare byte for byte
	.ci/compare

readme: ## run the commands of README.md
	.ci/readme

answers: ## write seed/ARCH/answers anew, after a change of a seed text
	.ci/answers

bench: ## wall times of the chain, the store, the sandbox and scheme1
	.ci/bench

clean: ## remove build/; the store stays (rung store gc)
	rm -rf build
