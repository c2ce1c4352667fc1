# Waybill: everything a person or a build runs. Nothing but Python 3.11 and make is expected.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
# Workers have databases of their own. One more than two processors: tests wait for databases and processes for much of their time.
WORKERS ?= 3
# Compiled modules are kept: each process of a run would compile them, and the asserts of all tests, again.
unexport PYTHONDONTWRITEBYTECODE
# For pipefail.
SHELL := bash
PIP := set -o pipefail; $(BIN)/python -m pip install --disable-pip-version-check --no-color --progress-bar off
# A line for each package while it comes, instead of a silent minute; errors come in full on their own stream.
PROGRESS := | awk '/^ *(Collecting|Downloading|Building|Installing|Successfully)/ { sub(/^ */, "  "); print substr($$0, 1, 100); fflush() }'

.PHONY: help demo serve test test-long test-unit test-attacks test-chaos test-containers test-composed engine image up down lint format protos chaos soak bench clean release dist test-clients

help: ## What can be run
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

$(BIN)/.runtime: requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the requirements ..."
	@$(PIP) -r requirements.txt $(PROGRESS)
	@$(PIP) --no-deps --no-build-isolation -e . $(PROGRESS)
	@touch $@

$(BIN)/.dev: requirements-dev.txt $(BIN)/.runtime
	@echo "installing what tests and checks need ..."
	@$(PIP) -r requirements-dev.txt $(PROGRESS)
	@touch $@

protos: $(BIN)/.runtime ## Generate code from the contracts
	@$(BIN)/python protos/generate.py

release: protos ## The contracts for other languages: build/waybill-protos-<version>.tar.gz
	@$(BIN)/python protos/release.py

dist: protos ## Wheels of the server, of the client and of the stubs: build/dist
	@rm -rf build/dist
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w build/dist ./protos ./libs/client .

demo: protos ## One marketplace order from cart to completed, through real services
	@$(BIN)/waybill demo

serve: protos ## The marketplace on this machine, SQLite
	@$(BIN)/waybill serve

test: $(BIN)/.dev protos ## All tests that need no container, on SQLite and on PostgreSQL; the long ones apart
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m 'not long'

test-long: $(BIN)/.dev protos ## Overload, every corruption, the large walks and replays, backups under load, many examples
	@$(BIN)/python -m pytest -n $(WORKERS) -m long
	@$(BIN)/python -m pytest -n $(WORKERS) -m hypothesis --hypothesis-profile deep tests/unit

test-chaos: $(BIN)/.dev protos ## Killed processes, replicas restarted and upgraded, full disks, models of the order's life
	@$(BIN)/python -m pytest -n $(WORKERS) tests/chaos

test-attacks: $(BIN)/.dev protos ## Forged, stolen and worn-out tokens, what others have, floods: tried at every method, counted by kind
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile tests/attacks

test-unit: $(BIN)/.dev protos ## The tests that need no database
	@$(BIN)/python -m pytest -n $(WORKERS) -m 'not long' tests/unit

# A part of the store tests again, on PostgreSQL in a container and nowhere else; then the composed system.
test-containers: engine $(BIN)/.dev protos ## PostgreSQL in a container, the composed system from the image; needs an engine
	@WAYBILL_TEST_POSTGRES_SOURCE=container $(BIN)/python -m pytest -n $(WORKERS) -k postgresql tests/integration/libs tests/e2e/test_submit.py
	@$(MAKE) --no-print-directory test-composed

test-composed: engine $(BIN)/.dev protos ## The composed system alone, from the image; needs an engine
	@$(BIN)/python -m pytest -p no:xdist -p no:randomly tests/containers

test-clients: $(BIN)/.dev protos ## The client programs of docs/clients.md; needs Node 20, npm and both package indexes
	@npm --version >/dev/null 2>&1 && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' \
	  || { echo "the client programs need Node 20 or newer with npm: install them (apt-get install nodejs npm)" >&2; exit 1; }
	@$(BIN)/python -m pytest -p no:xdist -p no:randomly tests/clients

engine:
	@docker info >/dev/null 2>&1 || { echo "tests in containers need an engine, and none answers: install Docker and start it" >&2; exit 1; }

image: ## The one image of all services
	@$(PYTHON) containers/stack.py build

up: ## PostgreSQL and the seven services in containers, built, started and healthy
	@$(PYTHON) containers/stack.py up $(foreach s,$(SCALE),--scale $(s))

down: ## Ends what `make up` started; VOLUMES=1 removes the database too
	@$(PYTHON) containers/stack.py down $(if $(VOLUMES),--volumes)

lint: $(BIN)/.dev protos ## ruff, mypy, import-linter, buf
	$(BIN)/ruff check libs services tests protos containers
	$(BIN)/ruff format --check --quiet libs services tests protos containers
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code
	$(BIN)/python protos/breaking.py

format: $(BIN)/.dev ## Put contracts and code into form
	$(BIN)/buf format -w
	$(BIN)/ruff check --fix --quiet libs services tests protos containers || true
	$(BIN)/ruff format --quiet libs services tests protos containers

# PARTS="failpoints" SCENARIOS="submit ship" takes some of it only.
PARTS ?= failpoints replies pauses lives
chaos: $(BIN)/.dev protos ## A process killed at every place, every answer lost, processes paused, everyone at the same orders
	@set -e; for part in $(PARTS); do case $$part in \
	  lives) WAYBILL_CHAOS_LIVES=40 WAYBILL_CHAOS_STEPS=40 WAYBILL_CHAOS_DELIVERIES=500 WAYBILL_CHAOS_ROUNDS=50 WAYBILL_CHAOS_BRAWLS=60 \
	    $(BIN)/python -m pytest -q tests/chaos/test_order_life.py tests/chaos/test_reordering.py tests/chaos/test_submit_under_fire.py \
	      tests/chaos/test_brawl.py;; \
	  pauses) $(BIN)/python -m tests.chaos pauses;; \
	  *) $(BIN)/python -m tests.chaos $$part $(foreach s,$(SCENARIOS),--scenario $(s));; \
	esac; done

SECONDS ?= 60
soak: $(BIN)/.dev protos ## Load while replicas and PostgreSQL are killed, then its history is judged; SECONDS=120 SEED=7
	@$(BIN)/python -m tests.chaos soak --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

bench: $(BIN)/.dev protos ## Speed and memory, as ratios to a floor measured in the same run
	@$(BIN)/python -m tests.bench

clean: ## Remove everything that was made
	rm -rf $(VENV) gen build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
