# Everything is relative to this folder, so that its path may hold spaces.
MAKEFLAGS += --no-print-directory
PYTHON = .venv/bin/python

.PHONY: help run test slow check bench pins venv browser

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 14

run: venv ## Serve Verbatim on http://127.0.0.1:8000 (PORT=, VAR_DIR=); Ctrl-C stops it
	@$(PYTHON) -m chatapp.embedded.install run
	@exec $(PYTHON) -m chatapp.embedded.child --end-with-parent TERM -- $(PYTHON) -m chatapp.embedded

test: venv browser ## Run the tests but for the slow ones, within six minutes (ARGS="-k name": these, slow or not)
	@$(PYTHON) -m chatapp.embedded.install run dev local
	@sh .ci/test $(or $(ARGS),-m "not slow")

slow: venv browser ## Run the slow tests: every page in a browser, an S3 server, front ends, bombs (.ci/run runs all)
	@$(PYTHON) -m chatapp.embedded.install run dev local
	@sh .ci/examples
	@sh .ci/test -m slow

check: venv ## Format, lint, types, templates, migrations, settings, pins; changes nothing
	@$(PYTHON) -m chatapp.embedded.install run dev local
	@sh .ci/check

bench: venv ## Print the benchmark table (ARGS=--write puts it into docs/performance.md)
	@$(PYTHON) -m chatapp.embedded.install run dev local
	$(PYTHON) -m bench $(ARGS)

pins: venv ## Choose newest versions within requirements*.in and write requirements*.txt (needs the network)
	@sh .ci/pins

venv:
	@sh .ci/venv

browser:
	@sh .ci/browser
