# The short commands; `make help` lists them. CMake does the building (CMakePresets.json).
JOBS ?= $(shell nproc)
export JOBS

.DEFAULT_GOAL := help
.PHONY: help setup build run test bench board-demo rtm-bench agent-bundle python docs screenshots fuzz sanitize coverage kill-test lint format clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo "JOBS=n bounds the parallel work (default: all cores)."

setup:  ## install what building needs, if anything is missing
	@tools/setup.sh

build: setup  ## build build/release/dynasoc (and dynasoc-simgrid, where SimGrid is installed)
	@cmake --preset release --log-level=WARNING >/dev/null
	@cmake --build --preset release --parallel $(JOBS) --target dynasoc_programs

run: build  ## simulate scenarios/claims/gpu-sharing.json into out/gpu-sharing, and make its report
	build/release/dynasoc run scenarios/claims/gpu-sharing.json --out out/gpu-sharing --force
	build/release/dynasoc report out/gpu-sharing --force

test:  ## build everything and run all tests
	@tools/setup.sh --test
	@tools/test.sh release

fuzz:  ## fuzz every parser with libFuzzer, FUZZ_S seconds each (600); needs clang-16
	@tools/fuzz.sh

sanitize: setup  ## run the tests under the address, undefined-behaviour and thread sanitizers
	@DYNASOC_TEST_SCALE=0.2 tools/test.sh asan
	@DYNASOC_TEST_SCALE=0.1 tools/test.sh tsan

coverage: setup  ## which lines of sim/ the tests run; needs gcovr
	@tools/coverage.sh

bench: build  ## measure the simulation speed on this machine, then the Python package's
	build/release/dynasoc bench
	@tools/python.sh
	build/venv/bin/python tools/bench_python.py

rtm-bench: build  ## rank all managers over twelve scenarios, into out/rtm-bench and docs/rtm-bench.md; about 10 minutes
	@tools/rtm_bench.sh

board-demo: build  ## the whole way on a fake board with real inference: probe, profile, run, validate, faults
	@tools/board_demo.sh

agent-bundle: setup  ## build/dynasoc-agent.tar.gz: the agent's sources and the one header they need, for a board
	@tools/agent_bundle.sh

python: setup  ## make build/venv: a virtual environment with the Python package, its extras and its tests
	@tools/python.sh

screenshots: build  ## make the README's pictures of reports, with chromium
	@tools/setup.sh --test
	@tools/python.sh
	build/venv/bin/python tools/screenshots.py

docs:  ## build build/site: the documentation as a site that opens without a server
	@tools/site.sh

kill-test: build  ## kill every command that writes a directory 300 times, at random moments
	python3 tests/smoke/kill_test.py 300

lint:  ## check formatting and static analysis
	@tools/setup.sh --lint
	@tools/lint.sh

format:  ## format all C++ files in place
	@tools/setup.sh --lint
	@tools/lint.sh --fix-format

clean:  ## remove build/
	rm -rf build
