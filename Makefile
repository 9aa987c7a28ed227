# Everything a person or CI does here. A clean machine needs Python 3.11+ (with venv) and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate
ARGS ?=
# One more than there are cores: much of a test waits for a process, a deadline or the disk.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

.PHONY: setup run test check fix bench conformance slow fuzz chaos simulate redteam mutate \
	browser formal hours lock postgres node

setup: $(VENV)/.dev

run: $(VENV)/.run
	@$(BIN)/ordergate up $(ARGS)

test: $(VENV)/.dev postgres node
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow" --ignore tests/browser $(ARGS)

# What takes long: restarts, restores, deaths, broken gateways, the demo; the properties with all
# their examples, EXAMPLES=5 five times as many.
slow: $(VENV)/.dev postgres node
	$(BIN)/python -m pytest -n 2 -m slow --timeout 300 --ignore tests/browser \
		--ignore tests/e2e/test_openapi_fuzz.py $(ARGS)
ifeq ($(strip $(ARGS)),)
	ORDERGATE_EXAMPLES=$(or $(EXAMPLES),1) $(BIN)/python -m pytest -n 2 -m "not slow" tests/property --timeout 600
endif

# A server on loopback for the suites; nothing to do where one answers.
postgres:
	@.ci/postgres

# The second implementation of the record's verifier runs on it.
node:
	@command -v node nodejs >/dev/null || { apt-get update && apt-get install --yes nodejs; }

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/unit/test_house_rules.py tests/unit/test_import_laws.py
	$(MAKE) formal

fix: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The tables of exchange hours, made anew; a test says when they are not what the script makes.
hours: $(VENV)/.dev
	$(BIN)/python tools/exchange_hours.py

# Ratios against peers, all measured in this one run; about two minutes.
bench: $(VENV)/.dev
	$(BIN)/python benchmarks/run.py $(ARGS)

# The official MCP suite and Inspector, against our layer and the real gateway; needs npm.
conformance: $(VENV)/.dev tests/conformance/node_modules/.installed
	$(BIN)/python tests/conformance/run.py

# Bad input for every operation through every door: N bodies a tool, 100 examples an operation by
# Schemathesis, MESSAGES malformed MCP messages by three doors. Seeds are printed.
fuzz: $(VENV)/.dev
	ORDERGATE_FUZZ_N=$(or $(N),400) ORDERGATE_FUZZ_EXAMPLES=$(or $(EXAMPLES),100) \
		$(BIN)/python -m pytest -q -s --timeout 1800 \
		tests/e2e/test_fuzz.py tests/e2e/test_openapi_fuzz.py $(ARGS)
	$(BIN)/python tests/chaos/malformed_mcp.py --messages $(or $(MESSAGES),5000)

# Crashes, races and exits under fault: KILLS kill -9, RACES of the kill switch, LIMITS races at a
# limit, CLAIMS of two gateways on one database, IMAGES of a lost power, N exit episodes; each prints
# its seed, and one of them replays with `python tests/chaos/<name>.py --seed S`.
chaos: $(VENV)/.dev postgres
	$(BIN)/python tests/chaos/crashes.py --kills $(or $(KILLS),2000) $(ARGS)
	$(BIN)/python tests/chaos/kill_race.py --rounds $(or $(RACES),10000) $(ARGS)
	$(BIN)/python tests/chaos/limit_race.py --rounds $(or $(LIMITS),500) $(ARGS)
	$(BIN)/python tests/chaos/contended_claims.py --claims $(or $(CLAIMS),10000)
	$(BIN)/python tests/chaos/power_loss.py --images $(or $(IMAGES),5000) $(ARGS)
	$(BIN)/python tests/chaos/exit_episodes.py --episodes $(or $(N),10000) $(ARGS)

# Hostile agents at a real gateway, N episodes (200), orders around it, attacks on the sealed record;
# the broken gateways, which must be seen, run with make slow. Seeds are printed and replay.
redteam: $(VENV)/.dev
	$(BIN)/python tests/chaos/hostile_agents.py --episodes $(or $(N),200) $(ARGS)
	$(BIN)/python tests/chaos/around_the_gate.py --orders $(or $(PLANTED),20)
	$(BIN)/python tests/chaos/audit_attacks.py --attacks $(or $(N),200)

# Mutants of what decides, tried on the tests that meet them; ARGS="--changed main" for a change.
mutate: $(VENV)/.dev
	$(BIN)/python tests/mutation/mutate.py $(ARGS)

# Histories of the order line from N seeds (200,000) in virtual time; ARGS="--seed S" replays one.
# Then every broken safeguard must be caught, and the rule-based machine plays 500 x 50 steps.
simulate: $(VENV)/.dev
	$(BIN)/python tests/simulator/simulate.py --histories $(or $(N),200000) $(ARGS)
ifeq ($(strip $(ARGS)),)
	$(BIN)/python tests/simulator/simulate.py --broken all
	ORDERGATE_MACHINE=500x50 $(BIN)/python -m pytest -q -s --timeout 10800 \
		tests/simulator/test_order_machine.py
endif

# The phone page in a real Chromium, 390 px wide, with a virtual passkey; Debian's chromium.
browser: $(VENV)/.dev
	@test -x /usr/bin/chromium || { apt-get update && apt-get install --yes chromium; }
	$(BIN)/python -m pytest -q tests/browser --timeout 120 $(ARGS)

# The models of the order path, the terminals, the limits and the exits, by Debian's Spin: ours holds,
# every broken variant fails. DEEP=1: larger ones, minutes of them.
formal:
	@{ command -v spin && command -v gcc && command -v tcc; } >/dev/null || \
		{ apt-get update && apt-get install --yes spin gcc libc6-dev tcc; } || \
		echo "install spin and gcc (and tcc, which makes it quick)" >&2
	$(PYTHON) formal/run.py $(if $(DEEP),--deep) $(ARGS)

# Renew the pinned versions and hashes; needs uv.
lock:
	printf 'hatchling>=1.27\neditables>=0.5\n' | $(COMPILE) - -o requirements-build.lock
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) pyproject.toml --group dev --extra postgres --extra research --extra cluster -c requirements.lock -o requirements-dev.lock

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("ordergate needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made requirements-build.lock requirements.lock pyproject.toml
	$(PIP) --require-hashes -r requirements-build.lock -r requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

tests/conformance/node_modules/.installed: tests/conformance/package-lock.json
	npm ci --prefix tests/conformance --no-progress
	@touch $@
