# Every target sets up what it needs, in .venv, and only that: the stamp of an extra is renewed when
# pyproject.toml changes, so a second run starts at once.
#
#   make PYTHON=/path/to/python3.12 test                another interpreter for a new .venv
#   make TESTS=tests/core PYTEST_ARGS='-k stream' test  a part of the suite
#   make PIP_ARGS='--extra-index-url https://download.pytorch.org/whl/cpu' bench
#                                                       the small (CPU) build of torch

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The first of these that runs, is new enough and can make environments.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14 python; do \
  if "$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
  then echo "$$p"; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
PIP_ARGS ?=
# Number of test processes: `auto` is one per core.
WORKERS ?= auto
TESTS ?=
# A clone of https://github.com/data-apis/array-api-tests, with submodules; WRITE=--write updates the
# page on it.
ARRAY_API_TESTS ?=
WRITE ?=
PYTEST_ARGS ?=
BENCH_ARGS ?=

.PHONY: help demo test test-deep lint format docs bench accuracy mutants bench-primitives clean

help: ## show the targets
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## /\1\t/' \
	  | while IFS=$$'\t' read -r name text; do printf '  make %-16s %s\n' "$$name" "$$text"; done

demo: $(VENV)/.installed-demo ## run the demonstration
	$(BIN)/python demo/run.py

test: $(VENV)/.installed-test ## run the test suite
	$(BIN)/python -m pytest -n $(WORKERS) $(PYTEST_ARGS) $(TESTS)

test-deep: $(VENV)/.installed-test $(VENV)/.installed-torch ## many more examples, and comparisons with torch
	FAD_TEST_PROFILE=deep $(BIN)/python -m pytest -n $(WORKERS) $(PYTEST_ARGS) $(TESTS)

lint: $(VENV)/.installed-dev ## formatting, lint rules and types
	@status=0; \
	for check in "ruff format --check ." "ruff check ." mypy; do \
	  echo "$$check"; $(BIN)/$$check || status=1; \
	done; exit $$status

format: $(VENV)/.installed-dev ## put everything into the standard format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: array-api
array-api: $(VENV)/.installed-test ## the array API standard's tests: ARRAY_API_TESTS=PATH of a clone
	@if [ -f "$(ARRAY_API_TESTS)/requirements.txt" ]; then \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -r "$(ARRAY_API_TESTS)/requirements.txt"; fi
	$(BIN)/python -m tests.array_api "$(ARRAY_API_TESTS)" $(WRITE) $(PYTEST_ARGS)

docs: $(VENV)/.installed-test ## write the generated pages of docs/
	$(BIN)/python -m docs.generate

bench: $(VENV)/.installed-bench ## measure against the rivals
	$(BIN)/python -m benchmarks

accuracy: $(VENV)/.installed-accuracy ## measure values and derivatives against exact ones
	$(BIN)/python -m benchmarks.accuracy

bench-primitives: $(VENV)/.installed-bench ## what the gradient of each primitive costs (BENCH_ARGS=--write records)
	$(BIN)/python -m benchmarks.primitives $(BENCH_ARGS)

mutants: $(VENV)/.installed-test ## break every rule on purpose: the generated tests must notice
	$(BIN)/python -m tests.mutants

clean: ## remove the environment and all caches
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .mutants_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ----------------------------------------------------------------------------------- environment

$(VENV)/.created:
	@if [ -z "$(PYTHON)" ]; then \
	  echo "fad needs Python 3.11 or newer with the venv module, and none was found on PATH." >&2; \
	  echo "Install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; fi
	@"$(PYTHON)" -c 'import sys; v = sys.version_info; \
	  sys.exit(0 if v >= (3, 11) else "fad needs Python 3.11 or newer; %s is %d.%d. Name another one: make PYTHON=/path/to/python3.12" % (sys.executable, v[0], v[1]))'
	"$(PYTHON)" -m venv --clear $(VENV)
	@touch $@

$(VENV)/.installed-%: pyproject.toml $(VENV)/.created
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) --editable '.[$*]'
	@touch $@
