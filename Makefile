# make workbook  executes the lessons into build/notebooks and prints the scoreboard
# make test      ruff, tests, doctests and every lesson
# make lab       opens JupyterLab on notebook 00
# make app       opens the explorer, a page on this machine: point, draw, bring your own song
# make results   computes the tables of data/results (thousands of models; resumes; NAMES="elman lstm")
# make results-check  computes them again and compares, writing nothing (hours; resumes)
# make models    trains the model in the package again, from DEAM and VGMIDI, and writes its card
# make bench     speed and memory, as ratios against what a user would otherwise do: docs/bench.md
# make book      the lessons and pages as a static book that needs no network: book/html/index.html
# make stress    kills at random moments of every kind of writing, planted faults, and ten thousand
#                generated inputs for every reader (an hour)
# make offline   tests and notebooks in a network namespace that has nothing but loopback
# make ends      the tests under the lowest versions that pyproject.toml allows, and the newest
# make corpus    remakes data/mini (needs Debian's fluidsynth, fluid-soundfont-gm and ffmpeg)
# Each sets up .venv by itself, once. PYTHON names another Python 3.11 or newer; TORCH=cpu takes
# PyTorch's build without CUDA, which is gigabytes smaller on Linux.

PYTHON ?= python3
BIN := .venv/bin
# LOCK= takes the newest releases that pyproject.toml allows.
LOCK ?= --constraint constraints.txt
READY := .venv/.ready
# uv knows the addresses of PyTorch's builds; its TORCH may also be auto or, for example, cu128.
TORCH ?=
UV := $(BIN)/python -m pip install --quiet --disable-pip-version-check uv && $(BIN)/python -m uv pip
# Two notebooks run side by side: one thread each is faster than two that fight.
export OMP_NUM_THREADS ?= 1

# Kernels run in other folders, so a relative MER_DATA is made absolute first, and a missing folder
# stops here. Make's own functions split paths at blanks.
ON_DATA := MER_DATA="$$($(BIN)/python notebooks/data.py)" && export MER_DATA

# JupyterLab looks outside for news and updates unless told not to.
OFFLINE := --LabApp.news_url=None --LabApp.extension_manager=readonly \
	--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate

# Programs run as modules: pip's scripts fail where the path of the clone has quotes or dollar signs.
.PHONY: workbook test lab app book corpus results results-check models bench stress offline ends

workbook: $(READY)
	$(BIN)/python notebooks/build.py
	@$(BIN)/python -m mer_core scoreboard
	@echo 'The lessons are in build/notebooks; begin with build/notebooks/00_start_here.ipynb, or run: make lab'

test: $(READY)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	env -u MER_DATA -u MER_EXPECTED $(BIN)/python -m pytest -n 2
	$(BIN)/python notebooks/build.py --plain
	env -u MER_DATA -u MER_EXPECTED $(BIN)/python -m pytest -n 2 --nbmake --nbmake-timeout=120 build/plain tests/exercises

results: $(READY)
	$(ON_DATA) && $(BIN)/python -m mer_core results $(NAMES)

results-check: $(READY)
	$(ON_DATA) && $(BIN)/python -m mer_core results --check $(NAMES)

models: $(READY)
	$(BIN)/python -m workbook.model_card

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
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(LOCK) --editable ".[bench]"
	$(BIN)/python -W ignore tests/bench/bench.py --write

book: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(LOCK) --editable ".[book]"
	rm -rf book
	$(BIN)/python -m sphinx --quiet --fail-on-warning -c docs/book -d book/doctrees . book/html
	$(BIN)/python docs/book/check.py book/html

# root_dir: the executed lessons in build/notebooks can be opened as well.
lab: $(READY)
	$(ON_DATA) && $(BIN)/python -m jupyterlab $(OFFLINE) --ServerApp.root_dir="$$PWD" \
		$$([ "$$(id -u)" != 0 ] || echo --allow-root) notebooks/00_start_here.ipynb

# JUPYTER_PATH: the page's template lies in app/voila.
app: $(READY)
	$(ON_DATA) && cd app && JUPYTER_PATH="$$PWD" ../$(BIN)/python -m voila explore.ipynb

corpus: $(READY)
	$(BIN)/python data/compose/make_corpus.py data/mini

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(if $(TORCH),$(UV) install --quiet --python $(BIN)/python --torch-backend $(TORCH) $(LOCK) torch)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(LOCK) --editable ".[corpus,notebooks,test]"
	touch $@
