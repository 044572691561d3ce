# One page that starts, tests and measures the product. Needs Python 3.11 or newer, git and make; nothing else.
SHELL := /bin/sh
PYTHON ?= python3
K ?=
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
# Not writing bytecode makes every start three times slower.
unexport PYTHONDONTWRITEBYTECODE

# uv does not read pip's configuration; a mirror or a certificate set up for pip is handed on, nothing is stored.
pip_setting = $(shell $(PYTHON) -m pip config get $(1) 2>/dev/null)
UV = env UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$(or $(PIP_INDEX_URL),$(call pip_setting,global.index-url))}" \
	SSL_CERT_FILE="$${SSL_CERT_FILE:-$(or $(PIP_CERT),$(call pip_setting,global.cert))}" \
	sh -c '[ -n "$$UV_DEFAULT_INDEX" ] || unset UV_DEFAULT_INDEX; [ -n "$$SSL_CERT_FILE" ] || unset SSL_CERT_FILE; exec .boot/bin/uv "$$@"' uv
BIN := .venv/bin
RUN := $(BIN)/python

.PHONY: help demo test check bench soak witness browser css requirements clean

help:
	@echo "make demo    start everything with a demo workspace on http://127.0.0.1:8000 (PORT changes it)"
	@echo "make test    run every test, the browser's included (K=pattern picks)"
	@echo "make check   format, lint, types, templates, import rules, deploy checks, migrations, translations"
	@echo "make bench   measure, as ratios to a floor taken in the same run (K=pattern picks)"
	@echo "make soak    the long proofs (K=pattern picks)"
	@echo "make witness compare our fake Stripe with one that others wrote"

# --- Environment ---------------------------------------------------------------------------------------------------
.boot/bin/uv: requirements/boot.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (set PYTHON)."; exit 1; }
	@rm -rf .boot
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --require-hashes --only-binary :all: \
		--target .boot -r requirements/boot.txt \
		|| { echo "uv could not be installed with pip; on Debian: apt-get install python3-pip"; exit 1; }
	@touch $@

.venv/created: .boot/bin/uv
	@[ -x $(RUN) ] || $(UV) venv --quiet --python $(PYTHON) .venv
	@echo "$(CURDIR)" > "$$($(RUN) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/cs_platform_tree.pth"
	@touch $@

# The development set contains the runtime set, so whoever has run `make test` need not install for `make demo`.
.venv/runtime: requirements/embedded.txt .venv/created
	@[ .venv/development -nt requirements/dev.txt ] || \
		$(UV) pip sync --quiet --python .venv --require-hashes --only-binary :all: requirements/embedded.txt
	@touch $@

.venv/development: requirements/dev.txt .venv/created
	@$(UV) pip sync --quiet --python .venv --require-hashes --only-binary :all: requirements/dev.txt
	@touch $@

# Another fake Stripe (localstripe, GPL), in an environment of its own: it is asked over HTTP, never imported or shipped.
# It is published as source only.
.witness/created: requirements/witness.txt .boot/bin/uv
	@$(UV) venv --quiet --clear --python $(PYTHON) .witness
	@$(UV) pip sync --quiet --python .witness --require-hashes --only-binary :all: --no-binary localstripe requirements/witness.txt
	@touch $@

# --- Use -----------------------------------------------------------------------------------------------------------
demo: .venv/runtime
	@exec $(RUN) -m cs_platform.supervisor

# Three processes, each with its own cluster; a picked few run in one.
test: .venv/development
	@$(RUN) -m pytest $(if $(K),-k "$(K)",-n 3) $(PYTEST_ARGS)

check: .venv/development
	@$(RUN) .ci/check.py $(K)

bench: .venv/runtime
	@$(RUN) -m bench $(if $(K),-k "$(K)")

# -rA: the figures that each proof printed are shown, of those that passed too.
soak: .venv/development
	@$(RUN) -m pytest -m soak --override-ini 'addopts=-p tests.stack --strict-markers -rA' $(if $(K),-k "$(K)") tests

witness: .venv/development .witness/created
	@$(RUN) -m pytest -m witness --override-ini 'addopts=-p tests.stack --strict-markers -ra' tests/fake_stripe

css:
	npm run css

# --- Upkeep --------------------------------------------------------------------------------------------------------
# Production first; the other files are constrained by it, so that tests run what is shipped.
COMPILE = $(UV) pip compile --quiet --generate-hashes --no-header --no-emit-index-url \
	--python-version 3.11 --only-binary :all: pyproject.toml

requirements: .boot/bin/uv
	@$(COMPILE) -o requirements/prod.txt
	@$(COMPILE) --extra embedded -c requirements/prod.txt -o requirements/embedded.txt
	@$(COMPILE) --extra sentry -c requirements/prod.txt -o requirements/sentry.txt
	@$(COMPILE) --extra embedded --extra dev -c requirements/prod.txt -o requirements/dev.txt
	@echo 'localstripe==1.15.10' | $(UV) pip compile --quiet --generate-hashes --no-header --no-emit-index-url \
		--python-version 3.11 --only-binary :all: --no-binary localstripe - -o requirements/witness.txt

clean:
	rm -rf .venv .boot .witness .mypy_cache .ruff_cache .pytest_cache
