# Waybill: everything a person or a build runs. Nothing but Python 3.11 and make is expected.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
# Two workers: each has databases of its own.
WORKERS ?= 2

.PHONY: help demo serve test test-unit lint format protos bench clean

help: ## What can be run
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(BIN)/.runtime: requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the requirements ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(BIN)/.dev: requirements-dev.txt $(BIN)/.runtime
	@echo "installing what tests and checks need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

protos: $(BIN)/.runtime ## Generate code from the contracts
	@$(BIN)/python protos/generate.py

demo: protos ## One marketplace order from cart to completed, through real services
	@$(BIN)/waybill demo

serve: protos ## The marketplace on this machine, SQLite
	@$(BIN)/waybill serve

test: $(BIN)/.dev protos ## All tests, on SQLite and on PostgreSQL
	@$(BIN)/python -m pytest -n $(WORKERS) tests

test-unit: $(BIN)/.dev protos ## The tests that need no database
	@$(BIN)/python -m pytest -n $(WORKERS) tests/unit

lint: $(BIN)/.dev protos ## ruff, mypy, import-linter, buf
	$(BIN)/ruff check libs services tests protos
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code
	$(BIN)/python protos/breaking.py

format: $(BIN)/.dev ## Put contracts and code into form
	$(BIN)/buf format -w
	$(BIN)/ruff check --fix --quiet libs services tests protos || true

bench: $(BIN)/.dev protos ## Speed and memory, as ratios to a floor measured in the same run
	@$(BIN)/python -m tests.bench

clean: ## Remove everything that was made
	rm -rf $(VENV) gen build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
