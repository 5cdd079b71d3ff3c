# make demo   set everything up and grade the sample submissions
# make test   set everything up and run the tests; long tables and dear tests take turns, by day
# make all    the same, with everything
PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python
INSTALL := $(RUN) -m pip install --quiet --constraint constraints.txt

# Tests start hundreds of processes: compiled modules are kept, as they are wherever nobody forbids it.
export PYTHONDONTWRITEBYTECODE =

.PHONY: setup demo test all test-alone all-alone lint style types clean

setup: $(VENV)/.ready

# torch first: what needs it must find this one, not bring another. uv installs the rest in less
# than half of pip's time; it does not read pip's settings, so that pip stands by.
$(VENV)/.ready: requirements.txt constraints.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) torch uv
	$(RUN) -m uv pip install --quiet --python $(RUN) --compile-bytecode \
		--constraint constraints.txt --requirement requirements.txt || \
		$(INSTALL) --requirement requirements.txt
	$(RUN) -m pip install --quiet --no-deps --editable .
	touch $@

# A run goes on where it stopped; the demonstration begins anew.
demo: setup
	rm -rf build/demo
	$(RUN) -m autograder grade tests/submissions --out build/demo \
		--part fc-vae --part conv-gan --part fc-gan

TESTS := $(RUN) -m pytest --numprocesses auto --dist worksteal

# mypy by itself would leave all cores but one idle.
test all: style
	$(MAKE) --no-print-directory --jobs 2 types $@-alone

test-alone: setup
	$(TESTS) --share

all-alone: setup
	$(TESTS)

lint: style types

style: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: setup
	$(RUN) -m mypy

clean:
	rm -rf $(VENV) build
