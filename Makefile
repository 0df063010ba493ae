# Everything a person types. Needs make and Python 3.11 or newer; `make setup` installs the rest into .venv.

PYTHON := .venv/bin/python
LOCAL := $(PYTHON) -m iva.local
WITH_SERVERS := $(LOCAL) with --
COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --system-certs

heading = @printf '\n\033[1m%s\033[0m\n' '$(1)'

.PHONY: help setup run codes test browser messages check bench manage shell shell-env forget lock upgrade openapi clean \
	check-style check-types check-imports check-lock check-database check-migrations check-deployment check-openapi

help:
	@echo 'make setup      install everything into .venv (again only when the lock file changed)'
	@echo 'make run        PostgreSQL, Valkey, web, worker and beat under one command; Ctrl-C stops all'
	@echo 'make codes      the six digits of the demo members, beside a running `make run`'
	@echo 'make test       the tests'
	@echo 'make browser    Chromium for the browser tests, from the distribution; nothing where one is there'
	@echo 'make messages   compile the Mongolian catalogues'
	@echo 'make check      style, types, imports, migrations, deployment, API document, lock files, tests'
	@echo 'make bench      the benchmarks'
	@echo 'make manage     one manage.py command beside a running `make run`: make manage ARGS="verify_audit"'
	@echo 'make shell      a Python shell beside a running `make run`'
	@echo 'make shell-env  exports for your own shell: eval "$$(make -s shell-env)"'
	@echo 'make forget     remove the database, queues and keys that `make run` keeps for this checkout'
	@echo 'make openapi    write docs/openapi.yaml from the code'
	@echo 'make lock       write the lock files from requirements*.in; make upgrade also takes newer versions'
	@echo 'make clean      remove .venv and caches; what `make run` keeps stays'

setup: .venv/installed

.venv/installed: requirements-dev.lock deploy/install
	@sh deploy/install requirements-dev.lock
	@touch $@

run: setup
	@$(LOCAL) run

codes: setup
	@$(LOCAL) manage demo_codes

test: setup
	@$(PYTHON) -m pytest $(ARGS)

browser:
	@sh deploy/install-chromium

messages: setup
	@for each in */locale; do .venv/bin/pybabel --quiet compile --domain django --directory "$$each"; done

bench: setup
	@$(PYTHON) -m bench $(ARGS)

manage: setup
	@$(LOCAL) manage $(ARGS)

shell: setup
	@$(LOCAL) manage shell

shell-env: setup
	@$(LOCAL) shell-env

forget: setup
	@$(LOCAL) forget

check: setup check-style check-types check-imports check-lock check-database
	$(call heading,tests)
	@$(MAKE) --no-print-directory test

check-style: setup
	$(call heading,ruff)
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .

check-types: setup
	$(call heading,mypy)
	@$(WITH_SERVERS) $(PYTHON) -m mypy

check-imports: setup
	$(call heading,import-linter)
	@PYTHONPATH=. .venv/bin/lint-imports

check-lock: setup
	$(call heading,lock files)
	@$(PYTHON) deploy/check_lock.py

# One pair of fresh servers for the three checks that want a database.
check-database: setup
	$(call heading,a fresh database)
	@$(WITH_SERVERS) $(MAKE) --no-print-directory check-migrations check-deployment check-openapi

check-migrations: setup
	$(call heading,migrations)
	@$(PYTHON) manage.py migrate --database owner --verbosity 0
	@$(PYTHON) manage.py makemigrations --check --dry-run

check-deployment: setup
	$(call heading,check --deploy)
	@IVA_LOOPBACK_HTTP=0 $(PYTHON) manage.py check --deploy --fail-level WARNING --database default

check-openapi: setup
	$(call heading,docs/openapi.yaml)
	@$(PYTHON) manage.py spectacular --validate --fail-on-warn --file .venv/openapi.yaml
	@diff -u docs/openapi.yaml .venv/openapi.yaml || { echo 'Run make openapi and commit the result.'; exit 1; }

openapi: setup
	@$(WITH_SERVERS) $(PYTHON) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

lock: setup
	@$(COMPILE) $(UPGRADE) requirements.in --output-file requirements.lock
	@$(COMPILE) $(UPGRADE) requirements-dev.in --output-file requirements-dev.lock
	@$(PYTHON) deploy/check_lock.py

upgrade:
	@$(MAKE) --no-print-directory lock UPGRADE=--upgrade

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis static-collected
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
