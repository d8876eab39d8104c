# `make` lists what there is. What needs more than a line lives in deploy/make/.

PY = .venv/bin/python
MAKE_DIR = deploy/make
UV_COMPILE = $(PY) -m uv pip compile --no-config --quiet --universal --python-version 3.11 \
	--fork-strategy fewest --generate-hashes --no-emit-index-url --custom-compile-command "make lock"
.DEFAULT_GOAL = help
.PHONY: help run install migrate admin model wheel demo-model test test-full test-postgres lint \
	format dev lock screenshots audit texts clean clean-data

help:
	@echo "Corral: a chat assistant for your site, on your own machine."
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

run: install migrate ## install what is missing and start the server on http://127.0.0.1:8000
	@exec $(PY) manage.py serve $(ARGS)

install: ## only install
	@sh $(MAKE_DIR)/install.sh web

migrate: install
	@$(PY) manage.py migrate --check >/dev/null 2>&1 || \
		{ echo "  bringing the database up to date"; $(PY) manage.py migrate --verbosity 0; }

admin: migrate ## make an account for the admin pages
	@$(PY) manage.py createsuperuser

model: install ## fetch TinyLlama 1.1B Chat (about 0.8 GB)
	@$(PY) manage.py model fetch $(ARGS)

wheel: install ## compile llama.cpp for other, smaller machines: docs/small-server.md
	@$(PY) -m deploy.make.wheel $(ARGS)

demo-model: ## train the small demo model again (half an hour; PyTorch is a big download)
	@sh $(MAKE_DIR)/install.sh train
	@.venv-train/bin/python -m ai_model.demo.train --out ai_model/weights/demo.gguf $(ARGS)

test: lint ## all checks and tests but the long ones
	@sh $(MAKE_DIR)/tests.sh fast $(ARGS)

test-full: dev ## the long tests, and what several web processes share on PostgreSQL and Redis
	@sh $(MAKE_DIR)/tests.sh slow $(ARGS)

test-postgres: dev ## everything that uses the database, on PostgreSQL
	@sh $(MAKE_DIR)/tests.sh postgres $(ARGS)

lint: dev ## format check, lint, types
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy

format: dev ## format the code
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

dev:
	@sh $(MAKE_DIR)/install.sh dev

lock: dev ## pin the newest versions that the *.in files allow
	@$(UV_COMPILE) --upgrade $(MAKE_DIR)/pip.in -o $(MAKE_DIR)/pip.txt
	@$(UV_COMPILE) --upgrade requirements.in -o requirements.txt
	@$(UV_COMPILE) --upgrade requirements-dev.in -o requirements-dev.txt
	@$(UV_COMPILE) --upgrade -c requirements-dev.txt requirements-train.in -o requirements-train.txt

audit: dev ## look for known vulnerabilities of what is pinned
	@sh $(MAKE_DIR)/audit.sh

texts: dev ## collect the texts visitors read for translation, and compile what is translated
	@sh $(MAKE_DIR)/texts.sh
	@sh $(MAKE_DIR)/texts.sh compile

screenshots: dev ## take the pictures in docs/screenshots again
	@CORRAL_SCREENSHOTS=docs/screenshots sh $(MAKE_DIR)/tests.sh fast tests/browser/test_look.py \
		tests/browser/widget/test_look.py

clean: ## remove what can be made again; never the database or a model
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis staticfiles
	@find . -name __pycache__ -type d -not -path './.venv-train/*' -prune -exec rm -rf {} +
	@echo "Removed .venv and the caches. Kept: var/ (database, keys), ai_model/weights/, .venv-train."

clean-data: ## remove the database and the keys too; asks first
	@printf 'This removes var/: every conversation, account and key. Type yes to go on: '; \
	read answer; if [ "$$answer" = yes ]; then rm -rf var && echo "Removed var/."; \
	else echo "Kept."; exit 1; fi
