# Every target sets up what it needs: Python 3.11+ with venv, make and a network to PyPI are enough.
# PYTHON=python3.13 make test   chooses the interpreter for a new .venv.

PYTHON ?= python3
BIN := .venv/bin
SECONDS ?= 0

.DEFAULT_GOAL := help
.PHONY: help setup test quick lint types demo docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

# The stamp is younger than what it depends on, or set-up runs again.
setup: .venv/.ready ## make .venv as uv.lock says (the others do it themselves)
.venv/.ready: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: PYTHON=python3.12 make ..." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	$(BIN)/uv sync --locked --quiet --inexact
	@touch $@

test: setup lint types ## everything that guards this repository: the one command
	@rm -f .coverage .coverage.*
	$(BIN)/python -m pytest --cov --cov-report=
	$(BIN)/python -m coverage report --format=total --fail-under=0 >/dev/null
	$(BIN)/python -m coverage report --skip-covered --show-missing --fail-under=100 --include='$(PURE)'

quick: setup ## the tests alone, up to the first failure
	$(BIN)/python -m pytest -x

lint: setup ## ruff, its formatter, and the import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

types: setup ## mypy --strict on source and tests
	$(BIN)/mypy

demo: setup ## two simulated models, turnout, traffic, a live view (SECONDS=20 to end by itself)
	@$(BIN)/turnout demo $(if $(filter-out 0,$(SECONDS)),--seconds $(SECONDS))

docs: setup ## write the generated pages of docs/ again
	$(BIN)/python -m tests.frame.generate

clean: ## remove what was made here: .venv, caches, coverage
	rm -rf .venv .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache dist build
	find proxy tests -name __pycache__ -type d -prune -exec rm -rf {} +
