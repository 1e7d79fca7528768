# Everything runs in .venv; the stamp says which pyproject.toml it was made for.
PYTHON ?= python3.11
VENV := .venv
RUN := $(VENV)/bin

.PHONY: install chat bot test bench clean

install: $(VENV)/.stamp

$(VENV)/.stamp: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp
	$(RUN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

chat: install
	@$(RUN)/lotse chat

bot: install
	@$(RUN)/lotse bot

test: $(VENV)/.stamp-dev
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(RUN)/lotse check
	$(RUN)/pytest

bench: $(VENV)/.stamp-dev
	$(RUN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	$(RUN)/python -m bench.run
	$(RUN)/python -m bench.compare

clean:
	rm -rf $(VENV) data
