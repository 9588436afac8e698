# Everything runs from here; `make help` lists it. Each target builds what it needs and is quick when nothing changed.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# Most tests wait for processes: three at a time, also on two cores.
IN_PARALLEL := --numprocesses 3 --dist loadgroup

.DEFAULT_GOAL := help
.PHONY: help demo up test check fmt bench faults lock clean

demo: .venv/ready  ## a tour: real jobs on one SQLite file, a worker killed on the way, what happened and where
	$(BIN)/faena demo

up: .venv/ready  ## start web and worker, print a sign-in link; Ctrl-C ends it
	$(BIN)/faena up

test: .venv/ready-test  ## every test, on real servers that come as wheels; the core's on PostgreSQL too
	FAENA_TEST_DATABASE=postgresql $(BIN)/python -m pytest $(IN_PARALLEL) tests/unit/faena
	$(BIN)/python -m pytest $(IN_PARALLEL)

check: .venv/ready-dev  ## what CI asks besides the tests: lint, format, types, layers, migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

fmt: .venv/ready-dev  ## format the code and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/ready-test  ## the benchmarks, each against a peer in the same run
	@for name in pricelists ledger throughput latency crash footprint telemetry telemetry_analytics monitor live; do \
		echo "benchmarks.$$name" && $(BIN)/python -m benchmarks.$$name || exit 1; done

faults: .venv/ready-test  ## 500 kills and other faults under load, on both installations: nothing lost, doubled or run twice
	$(BIN)/python -m tests.faults.storm
	$(BIN)/python -m tests.faults.telemetry

lock: .venv/ready  ## pin requirements/*.in into hashed requirements/*.txt
	$(BIN)/pip install --quiet pip-tools
	cd requirements && for set in base test dev; do ../$(BIN)/pip-compile --quiet --upgrade --generate-hashes \
		--strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header \
		--output-file $$set.txt $$set.in || exit 1; done

clean:  ## forget the environment and everything that was written
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

help:  ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /|/' | awk -F'|' '{printf "  make %-7s %s\n", $$1, $$2}'

.venv/ready: requirements/base.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Faena needs Python 3.11 or newer; $(PYTHON) is older. Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Installing what Faena needs into .venv (once)…"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.venv/ready-test: .venv/ready requirements/test.txt
	@echo "Installing what the tests need into .venv (once)…"
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	@touch $@

.venv/ready-dev: .venv/ready-test requirements/dev.txt
	@echo "Installing what the checks need into .venv (once)…"
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@
