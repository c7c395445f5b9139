# Everything a developer types. `make` alone explains.
#
#   make run ARGS="--port 8080"      arguments go to the command behind the target

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench

VENV := .venv
PYTHON := $(VENV)/bin/python
STAMP := $(VENV)/.in-step
ARGS ?=

# The interpreter is the machine's: uv must not fetch another one.
export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make the environment (.venv) from the locked dependencies
	@echo "The environment is ready: $(VENV)"

run: $(STAMP) ## Run everything with a simulated demo; ARGS="--port 8080"
	@exec $(VENV)/bin/noc up --demo $(ARGS)

test: $(STAMP) ## Run every test with branch coverage; ARGS="tests/launcher -x"
	$(PYTHON) -m pytest --cov $(ARGS)

check: $(STAMP) ## Check format, lint, types, import rules and migrations
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(PYTHON) -m noc.launcher.migrations_check

bench: $(STAMP) ## Measure, each number beside its floor
	$(PYTHON) -m tests.bench $(ARGS)

# Redone when the lock or the project's description changes. uv is the quick way; where it cannot
# be had or cannot reach the index, pip installs the same files by the same hashes.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { \
	  for candidate in python3.11 python3.12 python3 python; do \
	    if $$candidate -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' \
	        2>/dev/null; then \
	      echo "Making $(VENV) with $$candidate"; \
	      $$candidate -m venv --clear $(VENV) && exit 0; \
	      echo "$$candidate cannot make an environment; on Debian: apt install python3-venv" >&2; \
	      exit 1; \
	    fi; \
	  done; \
	  echo "Python 3.11 or 3.12 is needed, and none of python3.11, python3.12, python3 is one." >&2; \
	  exit 1; }
	@echo "Installing the locked dependencies"
	@awk '/^uv==/ {found = 1} found {print} found && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.txt
	@{ $(PYTHON) -m pip install --quiet --require-hashes -r $(VENV)/uv.txt && \
	   $(VENV)/bin/uv pip sync --quiet --python $(PYTHON) --require-hashes requirements.lock; } || { \
	   echo "uv did not manage; pip does the same, more slowly" >&2; \
	   $(PYTHON) -m pip install --quiet --require-hashes -r requirements.lock; }
	@$(PYTHON) -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
