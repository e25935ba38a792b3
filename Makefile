# `make demo` and `make test` set up what they need, then go. `make help` lists the rest.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

# What a napari window needs on a bare Debian, and a screen that is not there.
APT := xvfb xauth libgl1 libegl1 libgl1-mesa-dri libxkbcommon-x11-0 libxcb-cursor0 \
	libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 \
	libxcb-shape0 libxcb-xinerama0 libxcb-xkb1 libdbus-1-3 libfontconfig1

# Only where there is no screen: a real window needs one.
ON_A_SCREEN := $(shell [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" != Linux ] \
	|| echo 'xvfb-run -a -s "-screen 0 1400x900x24"')

.PHONY: help demo test check install system measure table papers clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s%s\n", $$1, $$2}' Makefile

demo: install ## segment cells in a napari window; leaves demo/ with screenshot and table
	$(ON_A_SCREEN) $(BIN)/napari-iseg demo

test: install ## quality checks and the whole test suite, real window included
	$(ON_A_SCREEN) $(BIN)/python -m pytest $(ARGS)

check: install ## only ruff, mypy, import-linter, codespell and pre-commit
	$(BIN)/python -m pytest tests/test_quality.py

RESULTS ?= results/curves.jsonl
LIMIT ?= 40
CLASSICAL := graph-cut grab-cut random-walk geodesic-matting euclidean-star \
	geodesic-star grow-cut
CELL_SETS := dsb2018/val usiigaci/val sem_axons/val bacteria_phase/val chloroplasts/val \
	ovule/val yeast_phase_lifecycle bitdepth_nucseg

measure: install ## every method on the cell sets, hours; goes on where it was stopped
	$(BIN)/python -m training evaluate cells "cells (oracle)" $(CLASSICAL) \
		--data $(CELL_SETS) --limit $(LIMIT) -o $(RESULTS)

table: install ## write the measured table into the README from RESULTS
	$(BIN)/python -m training report $(RESULTS) --into README.md

papers: install ## classical methods beside the papers' rows, in results/grabcut; an hour
	$(BIN)/python -m training evaluate $(CLASSICAL) --data grabcut \
		--robot latent-diversity ris-net fctsfn -o results/grabcut.jsonl
	$(BIN)/python -m training report results/grabcut.jsonl --papers -o results/grabcut
	cp results/grabcut/tables.md docs/grabcut.md

install: system $(INSTALLED) ## make .venv with everything in it

$(INSTALLED): pyproject.toml
	@echo "Installing into $(VENV): a few minutes, about 6 GB, most of it torch."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[all,cvat,train,export,test]"
	@touch $@

system:
	@[ -f /etc/debian_version ] || exit 0; \
	missing=""; \
	for package in $(APT); do \
		dpkg-query --show --showformat='$${Status}' $$package 2>/dev/null \
			| grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" = 0 ]; then \
		echo "Installing system packages:$$missing"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; \
	else \
		echo "A napari window may need packages that only root can install:"; \
		echo "  apt-get install$$missing"; \
	fi

clean: ## remove the environment, the demo's results and every cache
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis
