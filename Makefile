# Two commands to know: `make run` serves the example, `make test` checks everything.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup run test coverage test-all prove mutants bench lint types format docs demo lock clean

help: ## show the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready ## create the virtual environment from requirements.lock

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: setup ## serve the example configuration, with its store under var/
	@printf '\nOnce it listens, paste this into another terminal:\n\n'; cat examples/first-request.sh; echo
	@$(BIN)/taskflow serve --config examples/gateway.json5

demo: setup ## play the life of a flow against a real gateway and print what happened
	@$(BIN)/python examples/demo.py

test: setup lint types ## formatter, linter, types, and all tests
	@$(BIN)/python -m pytest -n 3 tests

coverage: setup ## the same tests with branch coverage, the gateways that they start included
	@$(BIN)/coverage erase
	@$(BIN)/python -m pytest -n 2 --cov --cov-report= tests
	@$(BIN)/coverage report

test-all: test ## all of `make test`, then what is long or needs more than wheels (it installs that)
	@$(BIN)/python -m tests.whole.install
	@$(BIN)/python -m pytest -m full -n 2 --dist loadfile tests

prove: setup ## run the proofs at full size, about an hour on two cores (Linux; installs cc)
	@$(BIN)/python -m tests.whole.install cc
	@$(BIN)/python -m tests.prove $(PROOFS)
	@$(if $(PROOFS),true,$(BIN)/python -m pytest -m proof tests)

mutants: setup ## bring in deliberate faults, one at a time, and show which test finds each
	@$(BIN)/python -m tests.mutants

bench: setup ## measure, beside what it replaces (npm installs that), as ratios within one run
	@$(BIN)/python -m tests.whole.install cc
	@$(BIN)/python -m bench $(BENCH)

lint: setup ## formatter and linter, changing nothing
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .

types: setup ## mypy, strict
	@$(BIN)/mypy

format: setup ## format the code and fix what the linter can fix
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet .

docs: setup ## write the generated pages again
	@$(BIN)/python -m adapters.presentation.lifecycle_page > docs/lifecycle.md
	@$(BIN)/python -m bench.capacity --write-page
	@{ printf '# Decisions\n\nOne decision a file, in the order in which they were taken. `make docs` writes this list.\n\n'; \
	  for adr in docs/adr/0*.md; do sed -n "1s|^# \(.*\)|- [\1]($${adr##*/})|p" $$adr; done; } > docs/adr/README.md
	@$(BIN)/python -m tests.whole.actions_page
	@$(BIN)/taskflow openapi > docs/openapi.json

clean: ## remove what the other commands made, but not var/
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*

lock: ## resolve requirements.lock again from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate --extra dev --extra postgres pyproject.toml -o requirements.lock
