# One folder, .venv, holds everything; `make clean` removes it.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	if command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then echo $$p; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
# Two workers keep two cores busy: gateways take CPU to start, then tests mostly wait. Each worker holds up to 1.5 GB.
TEST_WORKERS ?= 2
PYTEST := -m pytest -n $(TEST_WORKERS) --no-loadscope-reorder
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-clients lint train load chaos compat clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed (macOS: brew install python@3.12)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Runtime: exactly the tested set of versions, then the package itself. `--no-deps`: the lock is complete, and pip before
# 23.3 stops at a locked package asked for with an extra (pydantic[email]) once a newer release of it exists (pypa/pip#9644).
$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) install --no-deps -r requirements.lock
	$(PIP) install --no-deps -e .
	@$(PIP) check
	@touch $@

# Holds all versions of requirements.lock too: one call of pip, not two.
$(VENV)/.dev: requirements-dev.lock requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) install --no-deps -r requirements-dev.lock
	$(PIP) install --no-deps -e .
	@$(PIP) check
	@touch $(VENV)/.installed $@

demo: $(VENV)/.installed ## Run the whole gateway with stand-in models on http://127.0.0.1:4000
	@exec $(BIN)/aicc serve --demo

serve: $(VENV)/.installed ## Run the gateway in front of Ollama (OLLAMA_BASE_URL)
	@exec $(BIN)/aicc serve

test: $(VENV)/.dev ## Install what the tests need, then lint, type-check and test
	@./tests/install_system_packages.sh
	@./tests/install_chromium.sh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python $(PYTEST)

test-clients: $(VENV)/.dev ## Install real client programs (about 3 GB, Node 20.19 or newer) and run each against the gateway
	$(BIN)/python -m tests.clients.run

lint: $(VENV)/.dev ## Lint and type-check only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

train: $(VENV)/.installed ## Fit the detectors' weights again and print their leave-source-out tables
	$(PIP) install -e ".[train]"
	OMP_NUM_THREADS=1 $(BIN)/python training/train_injection.py
	OMP_NUM_THREADS=1 $(BIN)/python training/train_complexity.py

load: $(VENV)/.dev ## Measure speed beside stock LiteLLM (about 5 minutes; needs redis-server; full: benchmarks/gateway.py)
	$(BIN)/python -m benchmarks.gateway --quick

chaos: $(VENV)/.dev ## Break everything around the gateway under load, one thing at a time (about 7 minutes; libfaketime for the clock cases)
	$(BIN)/python -m benchmarks.chaos $(CHAOS)

compat: $(VENV)/.dev ## Run the suite against another LiteLLM: make compat VERSION=1.106.2
	@test -n "$(VERSION)" || { echo "say which: make compat VERSION=1.106.2"; exit 1; }
	$(BIN)/python -m venv .venv-compat
	.venv-compat/bin/python -m pip -q install -e ".[test,metrics]" "litellm[proxy]==$(VERSION)"
	.venv-compat/bin/python $(PYTEST) -p no:cacheprovider

clean: ## Remove .venv and caches
	rm -rf $(VENV) .venv-compat .mypy_cache .ruff_cache .pytest_cache
