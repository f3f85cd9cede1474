# make run    starts the app       make test   checks everything       make serve  app and API
# Both set up what they need first; what is set up already is not done again.
# PYTHON=python3.12 chooses the interpreter, E2E=0 leaves out the browser tests,
# WORKERS=1 runs the tests one after the other, ARGS="…" is passed on to train, evaluate and run.

PYTHON ?= python3
VENV   ?= .venv
E2E    ?= 1
WORKERS ?= 2
ARGS   ?=
BIN    := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

APP_READY := $(VENV)/.ready-app
DEV_READY := $(VENV)/.ready-dev
DEPENDENCIES := pyproject.toml requirements.txt constraints.txt

.DELETE_ON_ERROR:
.PHONY: run serve test lint format train evaluate bench screenshots readme constraints browser help

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "SongNet needs Python 3.11 or newer; name one: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' \
		|| { echo "This Python has no ensurepip; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(APP_READY): $(DEPENDENCIES) | $(BIN)/python
	$(INSTALL) -r requirements.txt
	@touch $@

$(DEV_READY): $(DEPENDENCIES) | $(BIN)/python
	$(INSTALL) -c constraints.txt -e '.[api,app,train,dev]'
	@touch $@ $(APP_READY)

run: $(APP_READY) ## Start the app
	$(BIN)/streamlit run app/main.py $(ARGS)

serve: $(APP_READY) ## Start the app and its REST API on one port
	$(BIN)/streamlit run app/server.py $(ARGS)

test: $(DEV_READY) lint browser ## Lint, types and all tests with coverage
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --cov --cov-report=term $(if $(filter 0,$(E2E)),-m "not e2e")

lint: $(DEV_READY) ## ruff and mypy
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(DEV_READY) ## Format and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

train: $(APP_READY) ## Train a network: make train ARGS="--dataset corpus --run-dir runs/final"
	$(BIN)/songnet train $(ARGS)

evaluate: $(APP_READY) ## Cross-validate: make evaluate ARGS="--dataset corpus --run-dir runs/cv"
	$(BIN)/songnet evaluate $(ARGS)

bench: $(DEV_READY) browser ## Measure latency and cold start
	$(BIN)/python benchmarks/predict_latency.py
	$(BIN)/python benchmarks/cold_start.py

screenshots: $(DEV_READY) browser ## Make the pictures in docs/images
	$(BIN)/python -m docs.make_screenshots

readme: $(APP_READY) ## Write the measured figures into README.md and docs/experiments.md
	$(BIN)/python -m docs.make_readme_figures
	$(BIN)/python -m docs.make_experiments_table

constraints: $(DEV_READY) ## Write down the versions that are installed
	{ sed -n '/^#/p' constraints.txt; \
	  $(BIN)/python -m pip freeze --exclude-editable | grep -viE '^(pip|setuptools|wheel)=='; } > constraints.new
	mv constraints.new constraints.txt

# The end-to-end tests drive Debian's chromium; nothing is downloaded where one is there.
APT := $(if $(filter 0,$(shell id -u)),,sudo -n) env DEBIAN_FRONTEND=noninteractive apt-get -qq
browser:
ifneq ($(E2E),0)
	@command -v chromium >/dev/null \
		|| { command -v apt-get >/dev/null && $(APT) update \
			&& $(APT) install -y --no-install-recommends chromium fonts-dejavu-core; } \
		|| { echo "The browser tests need Chromium: install it, or leave them out with E2E=0." >&2; exit 1; }
endif
