# Every target sets up .venv by itself; pip's own settings (PIP_INDEX_URL and the like) apply.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test test-full docs notebook lint audit bench bench-scale clean

help:  ## Show the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; set PYTHON=…" if sys.version_info < (3, 11) else 0)'
	@echo "Installing into $(VENV): some minutes the first time."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)

install: $(STAMP)  ## Set up .venv.

demo: $(STAMP)  ## Run the demo study and write its report.
	$(BIN)/lmc-track demo

test: $(STAMP)  ## Run the tests that need only Python.
	$(BIN)/python -m pytest

test-full: $(STAMP)  ## Run the tests that take long: servers, browsers, faults (PostgreSQL, Chromium).
	$(BIN)/python -m pytest -m full -rs

docs: $(STAMP)  ## Write the reference in docs/ from the program.
	$(BIN)/python docs/make_reference.py

notebook: $(STAMP)  ## Run the notebook in docs/ on the demo and keep its outputs (make demo first).
	LMC_HOME="$(CURDIR)/mlruns" $(BIN)/python docs/run_notebook.py docs/notebooks/explore.ipynb

lint: $(STAMP)  ## Check style and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: $(STAMP)  ## Look the pinned packages up among known vulnerabilities (needs PyPI itself).
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[audit]'
	$(BIN)/pip-audit --strict --disable-pip --no-deps --requirement constraints.txt

bench: $(STAMP)  ## Measure the engine: make bench BASE=folder-of-an-encoder (LMC_DATA_DIR has CoLA).
	$(BIN)/python benchmarks/engine.py --base "$(BASE)"

bench-scale: $(STAMP)  ## Measure simulated studies of 10, 30 and 100 models in SQLite and PostgreSQL (long).
	$(BIN)/python benchmarks/scale.py --models 10 30 100

clean:  ## Remove .venv and caches; the home with your studies stays.
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache build *.egg-info
