# The commands of everyday work. `make help` lists them; CONTRIBUTING.md says when each is of use.

BIN := .venv/bin
WORKERS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))# tests wait more than they compute
PROTOCOLS := $(patsubst tests/protocols/%/,%,$(sort $(dir $(wildcard tests/protocols/*/test_*.py))))
FLOORS := $(filter-out interop,$(patsubst tests/%/,%,$(sort $(dir $(wildcard tests/*/test_*.py))))) root
UNKNOWN = $(filter-out $(PROTOCOLS) $(FLOORS),$(P))
FOLDERS = $(foreach part,$(filter-out root,$(P)),$(wildcard tests/protocols/$(part) tests/$(part)))
TESTS = $(FOLDERS) $(if $(filter root,$(P)),$(wildcard tests/test_*.py))

.PHONY: help setup lint types test quick ci release

help: ## list the targets (the default)
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1\t/p' Makefile | expand -t 16

setup: ## make .venv with the package (editable), its test dependencies and the tools
	python3 -m venv .venv && $(BIN)/python -m pip install --upgrade 'pip>=25.1' && $(BIN)/pip install -e . --group dev

lint: ## ruff: rules and format
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: ## mypy, strict
	$(BIN)/mypy

test: ## the whole suite
	$(BIN)/pytest -q

quick: ## the tests of one part, in parallel: make quick P=ftp (or P="dns net")
	$(if $(UNKNOWN)$(if $(P),,none),$(error P="$(P)": expected one of: $(PROTOCOLS) $(FLOORS)))$(BIN)/pytest -q -n $(WORKERS) $(TESTS)

ci: ## all that is checked before something lands, in a copy of the checkout
	.ci/run

release: ## build and check sdist and wheel in dist/; nothing is uploaded
	PATH="$(CURDIR)/$(BIN):$$PATH" .ci/package dist
