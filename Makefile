# Everything a person types. `make` alone lists it.
.DEFAULT_GOAL := help
PYTHON_ENV := .venv/bin/python

.PHONY: help demo demo-browser test bench soak load fuzz lint format lock clean

help:            ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

demo:            ## the sandbox and the sample app, ready to click
	@scripts/setup demo
	@exec .venv/bin/smartcar-auth demo $(ARGS)

demo-browser:    ## the sandbox and a page with Python in it, PyScript and Pyodide
	@scripts/setup demo-browser
	@exec $(PYTHON_ENV) examples/browser_app.py

test:            ## everything: lint, types, tests, browsers included; installs what it needs
	@scripts/setup test
	@$(MAKE) --no-print-directory lint
	@$(PYTHON_ENV) -m pytest -n auto --maxprocesses 4 --dist loadgroup $(ARGS)

lint:            ## ruff and mypy
	@$(PYTHON_ENV) -m ruff check .
	@$(PYTHON_ENV) -m ruff format --check .
	@$(PYTHON_ENV) -m mypy

format:          ## let ruff rewrite what it can
	@$(PYTHON_ENV) -m ruff check --fix .
	@$(PYTHON_ENV) -m ruff format .

bench:           ## the figures, beside the peers they are compared with (docs/benchmarks.md)
	@scripts/setup bench
	@$(PYTHON_ENV) -m benchmarks $(ARGS)

soak:            ## a million launches, memory watched, then noise against every route (docs/reliability.md)
	@scripts/setup bench
	@$(PYTHON_ENV) -m benchmarks.soak $(ARGS)

load:            ## 50,000 attempts over two workers and Redis, with workers killed
	@scripts/setup bench
	@$(PYTHON_ENV) -m benchmarks.load $(ARGS)

fuzz:            ## whatever strangers can write to, under Atheris, a minute each
	@scripts/setup bench
	@$(PYTHON_ENV) -m fuzz $(ARGS)

lock:            ## renew the pinned requirements (needs uv and npm)
	@scripts/lock
	@cd tests/js && npm install --package-lock-only
	@cd benchmarks/js && npm install --package-lock-only

clean:           ## remove what the commands above made
	rm -rf .venv tests/js/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis dist test-results
