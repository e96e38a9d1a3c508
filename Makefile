# Every target sets up what it needs: Python 3.11+ with venv, make and a network to PyPI are enough.
# PYTHON=python3.13 make test   chooses the interpreter for a new .venv.

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
MINUTES ?= 10

# The tests start some hundred interpreters: none compiles again what another has.
export PYTHONDONTWRITEBYTECODE :=

# What must be covered to the last branch: it needs no loop and no mock to be tested.
ROOMS := routing exchange dialects quality alerting rollout pricing experiments
PURE := proxy/errors.py $(ROOMS:%=proxy/%/*) proxy/upstream/health.py proxy/upstream/retries.py
PURE_TESTS := $(ROOMS:%=tests/%) tests/upstream/test_health.py tests/upstream/test_retries.py
# Most tests wait more than they work. Those that measure something are marked `alone`.
BESIDE := -n 2 --dist worksteal
comma := ,
space := $() $()

.DEFAULT_GOAL := help
.PHONY: help setup test quick cover lint types demo bench soak profile store image dashboards pictures docs dist workflows helms chart checkov copies clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

# The stamp is younger than what it depends on, or set-up runs again.
setup: .venv/.ready ## make .venv as uv.lock says (the others do it themselves)
.venv/.ready: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: PYTHON=python3.12 make ..." >&2; exit 1; }
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	$(BIN)/uv sync --locked --quiet
	@touch $@

test: setup lint types cover ## everything that guards this repository: the one command
	$(BIN)/python -m pytest $(BESIDE)

quick: setup ## the tests alone, up to the first failure
	$(BIN)/python -m pytest -x $(BESIDE)

# Apart from the others: tracing doubles what a test costs, and no other room's tests are to help.
cover: setup ## the pure rooms, every branch of which their own tests reach
	@rm -f .coverage .coverage.*
	$(BIN)/python -m pytest --quiet $(BESIDE) --cov --cov-report= $(PURE_TESTS)
	$(BIN)/python -m coverage report --skip-covered --show-missing --fail-under=100 \
		--include='$(subst $(space),$(comma),$(strip $(PURE)))'

lint: setup ## ruff, its formatter, the import contracts, and hadolint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

types: setup ## mypy --strict on source and tests
	$(BIN)/mypy

demo: setup ## two simulated models, turnout, traffic, a live view (ARGS="--seconds 20")
	@$(BIN)/turnout demo $(ARGS)

bench: setup ## turnout beside nginx and the textbook proxy, in one run (ARGS=--quick)
	$(BIN)/uv sync --locked --quiet --inexact --group bench
	$(BIN)/python -m bench $(ARGS)

store: setup ## the request store: written a second, and searched at 5 million (ARGS="--rows 100000")
	$(BIN)/python -m bench.store $(ARGS)

soak: setup ## 1,000 changes, 20 upgrades, restarts, kills and store outages under load, flat memory (MINUTES=10)
	TURNOUT_TEST_CHANGES=1000 $(BIN)/python -m pytest -s tests/processes/test_changes.py
	TURNOUT_TEST_CHANGES=100 $(BIN)/python -m pytest -s tests/processes/test_hosts.py
	TURNOUT_TEST_ROUNDS=20 $(BIN)/python -m pytest -s tests/processes/test_upgrade.py tests/processes/test_costs.py
	TURNOUT_TEST_MINUTES=$(MINUTES) $(BIN)/python -m pytest -s tests/faults/test_memory.py
	TURNOUT_TEST_MINUTES=$(MINUTES) $(BIN)/python -m pytest -s tests/faults/outages.py
	TURNOUT_TEST_KILLS=200 $(BIN)/python -m pytest --timeout 900 tests/store/observations/test_faults.py

# As root, for buildah and runc need it. What is built stays in build/image until the next time.
image: setup ## the image, built with buildah, started, and driven by the openai client (BASE=...)
	$(BIN)/uv tool run --quiet checkov@3.3.30 --file Dockerfile --framework dockerfile \
		--quiet --compact --skip-download
	rm -rf build/image
	deploy/image/build build/image
	TURNOUT_TEST_IMAGE=build/image $(BIN)/python -m pytest tests/image/driven.py

helms: setup ## the real helm 3 and 4, which the chart's tests run, into .tools/
	$(BIN)/python -m tests.helm.fetch

chart: helms checkov ## the chart: tested with helm 3 and 4, held against Kubernetes' schemas and checkov's rules
	$(BIN)/python -m pytest tests/helm

checkov: helms ## checkov's rules on all that the chart's scenarios make
	rm -rf build/chart
	mkdir -p build/chart
	for values in helm/ci/*-values.yaml; do \
		.tools/helm4 template turnout helm --values $$values > build/chart/$${values##*/} || exit 1; done
	$(BIN)/uv tool run --quiet checkov@3.3.30 --directory build/chart --config-file helm/.checkov.yaml

copies: ## alert rules and dashboards into the chart, which brings them along
	rm -rf helm/files
	mkdir -p helm/files/dashboards helm/files/prometheus
	cp dashboards/*.json helm/files/dashboards
	cp dashboards/prometheus/*.yaml helm/files/prometheus

profile: setup ## where a worker's CPU time goes under load (ARGS="--cell stream")
	$(BIN)/uv sync --locked --quiet --inexact --group bench
	PATH="$(BIN):$$PATH" $(BIN)/python -m bench.profile $(ARGS)

dashboards: setup ## write the Grafana boards' JSON again, from dashboards/source
	$(BIN)/python -m dashboards.source
	@$(MAKE) --no-print-directory copies

pictures: setup ## the boards' pictures in docs/pictures, from minutes of real traffic (MINUTES=10)
	$(BIN)/python -m dashboards.pictures --minutes $(MINUTES)

docs: setup ## write the generated pages of docs/ again
	$(BIN)/python -m proxy.sinks.metrics.reference > docs/.new && mv docs/.new docs/metrics.md
	$(BIN)/python -m proxy.config.reference docs/configuration.md
	$(BIN)/python -m release.licences docs/licences.md

dist: setup ## wheel and sdist of the last commit: reproducible, checked, installed, driven (TAG=v0.1.0)
	$(BIN)/uv sync --locked --quiet --inexact --group release
	$(BIN)/python -m release --tag "$(TAG)"

workflows: setup ## the workflow files: GitHub's schema, and zizmor's look for holes
	$(BIN)/uv sync --locked --quiet --inexact --group release
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yaml
	$(BIN)/zizmor --offline --persona pedantic --quiet .github

clean: ## remove what was made here: .venv, caches, coverage
	rm -rf .venv .tools .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache dist build
	find proxy tests -name __pycache__ -type d -prune -exec rm -rf {} +
