# Goldenthread. `make demo` shows it, `make test` proves it, `make check` is for every commit.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

SEEDS ?=
SEED  ?=
FAULT ?=

.PHONY: chaos parity-engines demo test check ci-setup emulators browser install format lock catalog images bench clean

demo: install ## two years of real bars, eight strategies, a report
	$(BIN)/goldenthread demo

test: install ## the whole test suite
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: install ## format, lint, types, contracts, budgets, fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

ci-setup: install emulators browser ## what a clean machine needs before `make test`; safe to repeat

browser: ## a browser for the tests that look at the dashboard
	bash tests/emulators/install_chromium.sh

emulators: ## the cloud's emulators that tests use, where this machine can run them
	bash tests/emulators/install_bigquery.sh

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q $(VENV)/lib src || true
	touch $(STAMP)

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## renew requirements.lock from pyproject.toml
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --extra alpaca --extra demo --extra dev --extra gcp --extra notify --extra optuna --extra ray --extra web --output-file requirements.lock pyproject.toml

catalog: install ## renew the pages generated from the code: data catalog, tables of functions and engines, explanations, licences
	$(BIN)/python -m goldenthread.warehouse.catalog > docs/data/00_data_catalog.md
	$(BIN)/python tests/architecture/function_pages.py
	$(BIN)/python tests/architecture/figures_page.py
	$(BIN)/python tests/architecture/engines_page.py
	$(BIN)/python tests/architecture/explain_page.py
	$(BIN)/python tests/architecture/licences_page.py

images: install browser ## renew the pictures of the dashboard in docs/images
	GOLDENTHREAD_IMAGES=docs/images $(BIN)/python -m pytest tests/app/web/test_browser.py -n 0 -k pictures

bench: install .peers/installed ## measure, beside other engines; never part of the tests
	$(BIN)/python -m pytest tests/benches/bench_*.py -m bench -s -n 0

.peers/installed: tests/benches/peers/peers.lock
	$(PYTHON) -m venv .peers
	.peers/bin/python -m pip install --quiet --no-deps --require-hashes -r tests/benches/peers/peers.lock
	touch .peers/installed

parity-engines: install emulators ## six months on the real engines' stand-ins and on ours, equal to the digit
	PARITY_MONTHS=6 GOLDENTHREAD_REQUIRE_ENGINES=1 $(BIN)/python -m pytest tests/parity -n 2

chaos: install emulators ## inject every fault and renew docs/reliability.md; SEEDS=20 of each, FAULT=F6 alone, SEED=7 alone
	CHAOS_SEEDS=$(SEEDS) CHAOS_SEED=$(SEED) CHAOS_FAULT=$(FAULT) PYTHONPATH=src:tests $(BIN)/python tests/faults/page.py

clean:
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache
