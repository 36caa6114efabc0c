# Two commands on a fresh machine with Python 3.11 and make: `make run` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check
PINNED := constraints/pinned.txt
# The CPU build is enough and a tenth of the size; on a machine with a GPU: make TORCH=torch==2.13.0
TORCH ?= torch==2.13.0+cpu
OUT ?= runs/assignment

# What builds the package is pinned, too: pip takes these into the environments of builds.
export PIP_CONSTRAINT := $(abspath $(PINNED))
export PIP_BUILD_CONSTRAINT := $(PIP_CONSTRAINT)

.PHONY: help run torture test lint types format check bench dist setup clean

help: ## Show what can be made.
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-8s %s\n", $$1, $$2}'

run: setup ## Set up, run the study `assignment`, end with the table and the path of the report.
	$(BIN)/bakeoff run assignment --out $(OUT)

test: setup ## Set up and run the tests.
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

torture: setup ## Kill, interrupt and starve runs for an hour; print the table of docs/reliability.md.
	$(BIN)/python -m benchmarks.torture

lint: setup ## Check style and formatting.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## Check types, strictly.
	$(BIN)/mypy

format: setup ## Format the code.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: test lint types ## All that must hold before a commit.

bench: setup ## Measure everything of docs/performance.md, about 15 minutes, into benchmarks/results.
	$(BIN)/python -m benchmarks.against_plain_script --precision float32 --whole logistic-regression
	$(BIN)/python -m benchmarks.against_plain_script --precision bfloat16 --whole logistic-regression
	$(BIN)/python -m benchmarks.against_bare_loop --rounds 5 --seconds 0.8
	$(BIN)/python -m benchmarks.against_other_trainers --rounds 3 --seconds 0.5
	$(BIN)/python -m benchmarks.fraction_of_peak --rounds 5
	$(BIN)/python -m benchmarks.tricks --rounds 5
	$(BIN)/python -m benchmarks.stacked_trials --rounds 3
	$(BIN)/python -m benchmarks.growth --rounds 3
	$(BIN)/python -m benchmarks.start_up_and_memory
	$(BIN)/python -m benchmarks.steadiness
	$(BIN)/python -m benchmarks.throughput

# The wheel is all that the fresh environment has of bakeoff; of torch and the others, which take half
# a gigabyte, it is told where they lie.
dist: setup ## Build wheel and source distribution into dist, install the wheel elsewhere, run `quick` there.
	rm -rf dist build/elsewhere
	$(BIN)/python -m build --no-isolation --outdir dist
	$(PYTHON) -m venv build/elsewhere
	build/elsewhere/bin/pip --disable-pip-version-check install --quiet --no-deps dist/*.whl
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> "$$(build/elsewhere/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/others.pth"
	cd build/elsewhere && bin/python -c 'import bakeoff; print(bakeoff.__file__)'
	cd build/elsewhere && bin/bakeoff run quick --out quick

setup: $(VENV)/.ready ## Set up .venv with the pinned versions.

# torch comes first and alone: an open range, asked for by another package, would bring CUDA along.
# PyPI has no CPU build for Linux; pip finds it where it is configured to look (PIP_EXTRA_INDEX_URL
# takes the address of PyTorch's CPU builds). A machine that finds none takes the plain build.
$(VENV)/.ready: pyproject.toml $(PINNED)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bakeoff needs Python 3.11 or newer: make PYTHON=python3.11 run")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet '$(TORCH)' 2>/dev/null || $(PIP) install --quiet torch==2.13.0
	$(PIP) install --quiet -e '.[dev]'
	touch $@

clean: ## Remove the virtual environment and the caches; runs stay.
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
