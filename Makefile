# Two commands on a machine with Python alone:
#   make demo    sets everything up and runs the whole loop, ending in a page of pictures
#   make test    sets everything up and passes the tests
# and for those who change it: test-slow, test-hard, coverage, check, format, bench, lock

PYTHON ?= python3
VENV ?= .venv
READY := $(VENV)/.ready

.PHONY: demo test test-slow test-hard coverage lock check format bench clean

demo: $(READY)
	$(VENV)/bin/maskgan demo --out demo

# The checks run beside the tests, which saves half a minute.
test: $(READY)
	( $(CHECK) ) & checks=$$!; \
	$(VENV)/bin/python -m pytest -n auto -m "not slow"; tests=$$?; \
	wait $$checks || { echo "the checks failed: make check" >&2; exit 1; }; exit $$tests

test-slow: $(READY)
	$(VENV)/bin/python -m pytest -m slow

# Hostile inputs, kills, full disks: under an hour, alone on the machine; writes docs/reliability.md.
test-hard: $(READY)
	$(VENV)/bin/python -m pytest -m hard tests/hard
	$(VENV)/bin/python -m tests.hard.report

CHECK = $(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy
check: $(READY)
	$(CHECK)

format: $(READY)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(READY)
	$(VENV)/bin/python benchmarks/command_line.py
	$(VENV)/bin/python benchmarks/training_step.py

# What share of the package's lines the quick tests run, branches counted; also as coverage.xml.
coverage: $(READY)
	$(VENV)/bin/python -m pytest -n auto -m "not slow" --cov --cov-report=term --cov-report=xml

# The versions that the tests are run with, for every Python and system: requirements.lock with the hash of each file,
# constraints.txt without. PyTorch and what it brings (CUDA) is in the second alone, and only by its own name: which
# build of it is right depends on the machine.
LOCK = $(VENV)/bin/uv pip compile pyproject.toml --quiet --all-extras --universal --python-version 3.10 --upgrade \
	--no-annotate --no-header --no-emit-index-url --no-emit-package triton $(foreach name,$(CUDA),--no-emit-package $(name))
CUDA = $(addprefix cuda-,bindings pathfinder toolkit) $(addprefix nvidia-,cublas cuda-cccl cuda-cupti cuda-nvrtc \
	cuda-runtime cudnn-cu13 cufft cufile curand cusolver cusparse cusparselt-cu13 nccl-cu13 nvjitlink nvshmem-cu13 nvtx)
lock: $(READY)
	$(LOCK) --output-file constraints.txt
	$(LOCK) --generate-hashes --no-emit-package torch --no-emit-package torchvision --output-file requirements.lock
	sed -i '1i # Made by `make lock`. pip install -c constraints.txt -e ".[dev]"' constraints.txt
	sed -i '1i # Made by `make lock`. pip install torch torchvision && pip install --no-deps --require-hashes -r requirements.lock' \
		requirements.lock

clean:
	rm -rf $(VENV)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@
