# The map of the project: `make demo` runs the main job, `make test` checks everything.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help setup setup-run demo test lint type unit embedded integration e2e chaos bench docs lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(VENV)/.run-stamp: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("tamis needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || { echo "setting up $(VENV) (once)"; $(PYTHON) -m venv $(VENV); }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev-stamp: requirements-dev.lock $(VENV)/.run-stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

setup-run: $(VENV)/.run-stamp ## what running needs

setup: $(VENV)/.dev-stamp ## what developing needs

demo: $(VENV)/.run-stamp ## the main job on the embedded broker, about a minute
	@$(BIN)/tamis demo $(ARGS)

test: setup ## everything: lint, types, contracts, all tests (real Kafka where it can be had)
	@$(BIN)/python -m tests.support.run_all $(ARGS)

lint: setup ## ruff, import contracts, size limits
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/architecture

type: setup ## mypy --strict
	@$(BIN)/mypy

unit: setup ## pure tests: unit, property, vectors, contract
	@$(BIN)/python -m pytest -q -n auto tests/unit tests/property tests/vectors tests/contract $(ARGS)

embedded: setup ## tests on the embedded broker
	@$(BIN)/python -m pytest -q tests/embedded $(ARGS)

integration: setup ## tests on a real Kafka
	@$(BIN)/python -m pytest -q tests/integration $(ARGS)

e2e: setup ## as a user would run it
	@$(BIN)/python -m pytest -q tests/e2e $(ARGS)

chaos: setup ## the long fault runs: millions of events, real kills
	@$(BIN)/python -m tests.chaos.consent_strings
	@$(BIN)/python -m tests.chaos.payloads
	@$(BIN)/python -m tests.chaos.envelopes
	@$(BIN)/python -m tests.chaos.main $(ARGS)

bench: setup ## all benchmarks, each beside a reference in the same run
	@$(BIN)/python -m bench.main $(ARGS)

docs: setup ## regenerate the generated pages and dashboards
	@$(BIN)/python -m tests.support.regenerate

lock: ## rewrite both lock files (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet \
		--custom-compile-command "make lock" --extra build pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet \
		--custom-compile-command "make lock" --extra build --extra dev pyproject.toml -o requirements-dev.lock

clean: ## remove what the targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis out
