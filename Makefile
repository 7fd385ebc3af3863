# Everything runs in .venv, made from requirements.txt on first use. `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ARGS ?=
WORKERS := -n auto --dist loadscope --no-loadscope-reorder   # tests of one file share what it made

.DEFAULT_GOAL := help
.PHONY: help run test check lint system bench tables report export install pins

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(INSTALLED)  ## python run.py; ARGS="dataset=mnist_two strategy=entropy" for another run
	$(BIN)/python run.py $(ARGS)

test:  ## every test, and the checks of `make check`
	@$(MAKE) --no-print-directory --jobs=2 system lint
	$(BIN)/python -m pytest -q -rs --durations=10 $(WORKERS) $(ARGS)

check: lint  ## before a commit: lint, types and the fast tests
	$(BIN)/python -m pytest -q -m "not slow" $(WORKERS) $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/yamllint -s conf

system:  # what tests start that pip does not install, while the rest is installed and linted
	@sh tests/install_chromium.sh
	@sh tests/install_slurm.sh

bench: $(INSTALLED)  ## each speed claim as a ratio, its goal, met or missed
	$(BIN)/python scripts/bench.py $(ARGS)

tables: $(INSTALLED)  ## every table and figure of the papers beside what is measured, claims judged
	$(BIN)/python scripts/tables.py $(ARGS)

report: $(INSTALLED)  ## one page and tables of all stored runs
	$(BIN)/python scripts/report.py $(ARGS)

export: $(INSTALLED)  ## finished runs as small files under results/cells
	$(BIN)/python scripts/export.py $(ARGS)

install: $(INSTALLED)  ## the environment alone

pins: $(INSTALLED)  ## requirements.txt anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --extra faiss --extra timm --extra onnx --extra dev \
		--python-version 3.11 --universal --no-emit-index-url --no-header --no-annotate --quiet --upgrade --output-file requirements.txt

# uv takes a fraction of pip's time but reads no pip.conf: an index that only that names is left to pip. Without --compile-bytecode
# every process would compile what it imports where PYTHONDONTWRITEBYTECODE is set.
$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("al_bench needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0]) if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --constraint requirements.txt uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --requirement requirements.txt || $(PIP) --requirement requirements.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@
