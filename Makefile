# make workbook  executes the notebooks on the embedded corpus and prints the scoreboard
# make test      ruff, tests, doctests and every notebook
# make lab       opens JupyterLab on notebook 00
# make app       opens the explorer, a page on this machine: point, draw, bring your own song
# make results   computes the tables of data/results (thousands of models; resumes; NAMES="elman lstm")
# make results-check  computes them again and compares, writing nothing (hours; resumes)
# make bench     speed and memory, as ratios against what a user would otherwise do: docs/bench.md
# make book      the lessons and pages as a static book that needs no network: book/html/index.html
# make stress    kills at random moments of every kind of writing, planted faults, and ten thousand
#                generated inputs for every reader (an hour)
# make offline   tests and notebooks in a network namespace that has nothing but loopback
# make ends      the tests under the lowest versions that pyproject.toml allows, and the newest
# make corpus    remakes data/mini (needs Debian's fluidsynth, fluid-soundfont-gm and ffmpeg)
# Each sets up .venv by itself, once. PYTHON names another Python 3.11 or newer.

PYTHON ?= python3
BIN := .venv/bin
# LOCK= takes the newest releases that pyproject.toml allows.
LOCK ?= --constraint constraints.txt
READY := .venv/.ready
# Two notebooks run side by side: one thread each is faster than two that fight.
export OMP_NUM_THREADS ?= 1

# Notebooks run in their own folder: a relative path of DEAM has to be told from here.
ifdef MER_DATA
export MER_DATA := $(abspath $(MER_DATA))
endif

# JupyterLab looks outside for news and updates unless told not to.
OFFLINE := --LabApp.news_url=None --LabApp.extension_manager=readonly \
	--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate

.PHONY: workbook test lab app book corpus results results-check bench stress offline ends

workbook: $(READY)
	$(BIN)/python notebooks/build.py
	$(BIN)/python -m mer_core scoreboard

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	env -u MER_DATA $(BIN)/pytest -n 2
	env -u MER_DATA $(BIN)/pytest -n 2 --nbmake --nbmake-timeout=120 notebooks/*.ipynb tests/exercises

results: $(READY)
	$(BIN)/python -m mer_core results $(NAMES)

results-check: $(READY)
	$(BIN)/python -m mer_core results --check $(NAMES)

stress: $(READY)
	$(BIN)/python tests/stress/kills.py
	$(BIN)/python -W ignore tests/stress/writers.py
	$(BIN)/python tests/stress/mutations.py
	$(BIN)/python tests/stress/hard_input.py

offline: $(READY)
	$(BIN)/python tests/stress/offline.py

ends: $(READY)
	$(BIN)/python tests/stress/dependency_ends.py

bench: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check $(LOCK) --editable ".[bench]"
	$(BIN)/python -W ignore tests/bench/bench.py --write

book: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check $(LOCK) --editable ".[book]"
	rm -rf book
	$(BIN)/sphinx-build --quiet --fail-on-warning -c docs/book -d book/doctrees . book/html
	$(BIN)/python docs/book/check.py book/html

lab: $(READY)
	$(BIN)/jupyter lab $(OFFLINE) notebooks/00_start_here.ipynb

# JUPYTER_PATH: the page's template lies in app/voila.
app: $(READY)
	cd app && JUPYTER_PATH=$(CURDIR)/app ../$(BIN)/voila explore.ipynb

corpus: $(READY)
	$(BIN)/python data/compose/make_corpus.py data/mini

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check $(LOCK) --editable ".[corpus,notebooks,test]"
	touch $@
