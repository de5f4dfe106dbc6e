# make demo   sets everything up and runs the main job; needs no sound card
# make test   sets everything up and passes the tests
# make lint   style and types
# make faults  passes the tests of docs/explanation/reliability.md, TIMES=20 times in a row
# make docs   writes the reference from the program, and builds the site into build/site
# make pictures  redraws the pictures of the README

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

TIMES ?= 1

.PHONY: demo test lint faults docs pictures clean

demo: $(VENV)/.runs
	$(BIN)/rtcluster demo

test: $(VENV)/.tests
	$(BIN)/pytest -m "not alone" --numprocesses auto --dist loadfile --no-loadscope-reorder
	$(BIN)/pytest -m alone

lint: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

faults: $(VENV)/.tests
	for turn in $$(seq $(TIMES)); do echo "turn $$turn of $(TIMES)"; \
	$(BIN)/pytest -q $$(grep -oE 'tests/[a-z_/]+\.py(::[a-z0-9_]+)?' docs/explanation/reliability.md) || exit 1; done

docs: $(VENV)/.docs
	$(BIN)/python -m docs.generate
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

pictures: $(VENV)/.tests
	$(BIN)/python -m bench.pictures

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runs: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/.tests: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[test]'
	touch $@ $(VENV)/.runs

$(VENV)/.docs: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[docs]'
	touch $@ $(VENV)/.runs

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find rtcluster -name '*.nb[ic]' -delete
