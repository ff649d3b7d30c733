# Two commands on a machine with Python alone:
#   make demo    sets everything up and runs the whole loop, ending in a page of pictures
#   make test    sets everything up and passes the tests
# and for those who change it: test-slow, test-hard, coverage, check, format, bench, lock

PYTHON ?= python3
VENV ?= .venv
READY := $(VENV)/.ready

.PHONY: demo test test-slow test-hard check format bench clean

demo: $(READY)
	$(VENV)/bin/maskgan demo --out demo

test: $(READY) check
	$(VENV)/bin/python -m pytest -n auto -m "not slow"

test-slow: $(READY)
	$(VENV)/bin/python -m pytest -m slow

# Hostile inputs, kills, full disks: under an hour, alone on the machine; writes docs/reliability.md.
test-hard: $(READY)
	$(VENV)/bin/python -m pytest -m hard tests/hard
	$(VENV)/bin/python -m tests.hard.report

check: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: $(READY)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(READY)
	$(VENV)/bin/python benchmarks/command_line.py
	$(VENV)/bin/python benchmarks/training_step.py

clean:
	rm -rf $(VENV)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@
