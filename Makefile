# make demo   set everything up and grade the sample submissions
# make test   set everything up and run the tests; long tables and dear tests take turns, by day
# make all    the same, with everything
PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python
INSTALL := $(RUN) -m pip install --quiet --constraint constraints.txt

.PHONY: setup demo test all lint clean

setup: $(VENV)/.ready

# torch first: what needs it must find this one, not bring another.
$(VENV)/.ready: requirements.txt constraints.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) torch
	$(INSTALL) --requirement requirements.txt
	$(RUN) -m pip install --quiet --no-deps --editable .
	touch $@

# A run goes on where it stopped; the demonstration begins anew.
demo: setup
	rm -rf build/demo
	$(RUN) -m autograder grade tests/submissions --out build/demo \
		--part fc-vae --part conv-gan --part fc-gan

TESTS := $(RUN) -m pytest --numprocesses auto --dist worksteal

test: lint
	$(TESTS) --share

all: lint
	$(TESTS)

lint: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

clean:
	rm -rf $(VENV) build
