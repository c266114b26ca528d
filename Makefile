# Everything is installed into .venv with the exact versions of constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
CAPTURE ?=
TESTS ?= tests
READER ?=
MINUTES ?= 10

.PHONY: run picture test quick check docs fuzz test-oldest bench crops clean

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

run: .venv/.installed
ifeq ($(strip $(CAPTURE)),)
	$(BIN)/lfdfp simulate --camera f01 --scene motorcycle --seed 1 --output sample/sample.lfp --if-missing
	$(BIN)/lfdfp run sample/sample.lfp
else
	$(BIN)/lfdfp run '$(CAPTURE)'
endif

# The picture of README.md.
picture: .venv/.installed
	$(BIN)/lfdfp simulate --camera f01 --scene motorcycle --seed 1 --output sample/sample.lfp --if-missing
	$(BIN)/lfdfp run sample/sample.lfp --resume
	$(BIN)/python -m lfdfp.benchmarks.crops sample/sample --truth sample/sample_truth.h5 \
	  --crop 125,205,64 --crop 225,155,64 --side 240 -o docs/pictures/before_after.png

test: .venv/.installed
	$(BIN)/python -m pytest $(TESTS)

quick: .venv/.installed
	$(BIN)/python -m pytest -q -n 2 -m 'not slow and not data' $(TESTS)

check: .venv/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term $(TESTS)

# The site, from the pages in docs/ and the docstrings; a warning is an error.
docs: .venv/.installed
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs build/docs
	@echo build/docs/index.html

# make fuzz MINUTES=60, or READER=settings for one; see docs/trust.md.
fuzz: .venv/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[fuzz]'
	$(BIN)/python -m tests.fuzz.harness $(READER) --minutes $(MINUTES)

# With the oldest versions that pyproject.toml allows, torch excepted: its old builds need gigabytes.
test-oldest:
	$(PYTHON) -m venv build/oldest
	$(PYTHON) -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
	  print(*(n.replace('>=', '==') for n in p['dependencies'] + p['optional-dependencies']['test'] \
	          if not n.startswith('torch')), sep='\n')" > build/oldest/versions.txt
	build/oldest/bin/python -m pip install --quiet --constraint build/oldest/versions.txt --editable '.[test]'
	build/oldest/bin/python -m pytest -W default -n 2 $(TESTS)

bench: .venv/.installed
	$(BIN)/lfdfp evaluate --suite drawn --output docs/measurements/suites
	$(BIN)/lfdfp evaluate --suite photographic --output docs/measurements/suites
	$(BIN)/lfdfp evaluate --suite imperfections --output docs/measurements/suites
	$(BIN)/python -m lfdfp.benchmarks.refocus

crops: .venv/.installed
ifeq ($(strip $(CAPTURE)),)
	$(BIN)/lfdfp simulate --camera f01 --scene motorcycle --seed 1 --output sample/sample.lfp --if-missing
	$(BIN)/lfdfp evaluate sample/sample.lfp --crops out/crops
else
	$(BIN)/lfdfp evaluate '$(CAPTURE)' --crops out/crops
endif

clean:
	rm -rf .venv build dist out sample *.egg-info
