# Everything a person or CI does here. A clean machine needs Python 3.11+ (with venv) and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate
ARGS ?=

.PHONY: setup run test check fix bench conformance slow fuzz chaos browser lock

setup: $(VENV)/.dev

run: $(VENV)/.run
	@$(BIN)/ordergate up $(ARGS)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 -m "not slow" --ignore tests/browser $(ARGS)

# What takes long: restarts, restores, deaths, the demo on recorded prices; two minutes more.
slow: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 -m slow --timeout 300 --ignore tests/browser \
		--ignore tests/e2e/test_openapi_fuzz.py $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/unit/test_house_rules.py tests/unit/test_import_laws.py

fix: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Ratios against peers, all measured in this one run; about two minutes.
bench: $(VENV)/.dev
	$(BIN)/python benchmarks/run.py $(ARGS)

# The official MCP suite and Inspector, against our layer and the real gateway; needs npm.
conformance: $(VENV)/.dev tests/conformance/node_modules/.installed
	$(BIN)/python tests/conformance/run.py

# Bad input for every operation through every door, deeper than make test; N = bodies a tool.
fuzz: $(VENV)/.dev
	ORDERGATE_FUZZ_N=$(or $(N),400) $(BIN)/python -m pytest -q --timeout 1800 \
		tests/e2e/test_fuzz.py tests/e2e/test_openapi_fuzz.py $(ARGS)

# Exits under fault, N episodes (10,000); the seed is printed and replays with ARGS="--seed S".
chaos: $(VENV)/.dev
	$(BIN)/python tests/chaos/exit_episodes.py --episodes $(or $(N),10000) $(ARGS)

# The phone page in a real Chromium, 390 px wide, with a virtual passkey; Debian's chromium.
browser: $(VENV)/.dev
	@test -x /usr/bin/chromium || { apt-get update && apt-get install --yes chromium; }
	$(BIN)/python -m pytest -q tests/browser --timeout 120 $(ARGS)

# Renew the pinned versions and hashes; needs uv.
lock:
	printf 'hatchling>=1.27\neditables>=0.5\n' | $(COMPILE) - -o requirements-build.lock
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) pyproject.toml --group dev --extra data -c requirements.lock -o requirements-dev.lock

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
