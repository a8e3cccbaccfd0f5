# A thin layer over CMake: one folder under build/ for each kind of build. `make help` lists the
# targets.
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
JOBS    ?= $(shell nproc 2>/dev/null || echo 2)

# Seconds for each fuzz target, kills of a creator of snapshots, of a writer of the log and of the
# storage, folder that the benchmark writes to.
FUZZ_SECONDS ?= 600
CRASH_ROUNDS ?= 20
KILL_ROUNDS  ?= 1000
BENCH_DIR    ?= $(BUILD)/bench-data
BENCH_ARGS   ?=
BENCH_STORAGE_ARGS ?=

CONFIGURE = cmake -G Ninja -S .
CCACHE    = $(if $(shell command -v ccache 2>/dev/null),-DCMAKE_C_COMPILER_LAUNCHER=ccache)
NINJA     = cmake --build
CTEST     = ctest --output-on-failure --no-tests=error -j$(JOBS) --test-dir

# -O1 keeps the sanitizers' reports readable and the tests quick.
CHECKED   = -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-O1 -g" -DAKIDB_TESTS=ON

.PHONY: all setup demo test test-s3 s3-programs tsan crash soak interop lint format warnings fuzz \
        fuzz-short bench bench-storage install clean help

all: ## build/akidb, build/libakidb.so and build/libakidb.a, optimised
	@command -v cmake >/dev/null && command -v ninja >/dev/null || tools/setup build
	@$(CONFIGURE) -B $(BUILD) $(CCACHE) -DCMAKE_INSTALL_PREFIX=$(PREFIX) >$(BUILD).log 2>&1 || \
	    { cat $(BUILD).log; rm -f $(BUILD).log; echo "Is a package missing? make setup"; exit 1; }
	@rm -f $(BUILD).log
	@$(NINJA) $(BUILD)

setup: ## install the packages that building and testing need (apt; sudo when not root)
	@tools/setup build test

demo: ## build, then show the main job on real vectors
	@tools/setup build
	@$(MAKE) --no-print-directory all
	@tools/demo.sh $(BUILD)/akidb

test: setup ## all tests, under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(CONFIGURE) -B $(BUILD)/asan $(CCACHE) $(CHECKED) -DAKIDB_SANITIZE=address,undefined
	@$(NINJA) $(BUILD)/asan
	@AKIDB_CRASH_ROUNDS=$(CRASH_ROUNDS) $(CTEST) $(BUILD)/asan

test-s3: setup ## the tests of S3 on Ceph's object gateway, or on AKIDB_TEST_S3_ENDPOINT
	@$(if $(AKIDB_TEST_S3_ENDPOINT),,tools/setup s3)
	@$(MAKE) --no-print-directory s3-programs
	@tests/s3/run_real.py $(if $(AKIDB_TEST_S3_ENDPOINT),given,rgw) $(BUILD)/asan

s3-programs:
	@$(CONFIGURE) -B $(BUILD)/asan $(CCACHE) $(CHECKED) -DAKIDB_SANITIZE=address,undefined
	@$(NINJA) $(BUILD)/asan --target conformance_s3 s3_cycles s3_storage \
	    unit_storage_tiers_s3_test unit_tiering_s3_test akidb_cli

tsan: setup ## the tests under ThreadSanitizer
	@$(CONFIGURE) -B $(BUILD)/tsan $(CCACHE) $(CHECKED) -DAKIDB_SANITIZE=thread
	@$(NINJA) $(BUILD)/tsan
	@$(CTEST) $(BUILD)/tsan -L threads

crash: setup all ## kill -9 a creator CRASH_ROUNDS times, the log and the storage KILL_ROUNDS times
	@tests/crash/kill_loop.py $(BUILD)/akidb $(CRASH_ROUNDS)
	@$(CONFIGURE) -B $(BUILD)/asan $(CCACHE) $(CHECKED) -DAKIDB_SANITIZE=address,undefined
	@$(NINJA) $(BUILD)/asan --target crash_wal_kill crash_storage_kill crash_tiers_kill
	@AKIDB_CRASH_ROUNDS=$(KILL_ROUNDS) $(BUILD)/asan/tests/crash/crash_wal_kill
	@AKIDB_CRASH_ROUNDS=$(KILL_ROUNDS) $(BUILD)/asan/tests/crash/crash_storage_kill
	@AKIDB_CRASH_ROUNDS=$(KILL_ROUNDS) $(BUILD)/asan/tests/crash/crash_tiers_kill

soak: all ## every float as JSON; each allocation of a storage fails; the kill loop, without end
	@$(CONFIGURE) -B $(BUILD)/soak $(CCACHE) -DAKIDB_TESTS=ON
	@$(NINJA) $(BUILD)/soak --target unit_json_float_test
	@$(BUILD)/soak/tests/unit_json_float_test --all
	@$(CONFIGURE) -B $(BUILD)/asan $(CCACHE) $(CHECKED) -DAKIDB_SANITIZE=address,undefined
	@$(NINJA) $(BUILD)/asan --target crash_storage_allocation_test
	@AKIDB_ALLOCATION_STRIDE=1 $(BUILD)/asan/tests/crash/crash_storage_allocation_test
	@tests/crash/kill_loop.py $(BUILD)/akidb forever --seed $$(date +%s)

interop: all ## other engines read our files and we theirs (PyPI); MinIO, versitygw (Go's proxy)
	@tools/setup test interop
	@tests/interop/run.sh $(BUILD)
	@$(MAKE) --no-print-directory s3-programs
	@tests/s3/run_real.py minio $(BUILD)/asan
	@tests/s3/run_real.py versitygw $(BUILD)/asan

lint: ## clang-format, clang-tidy and cppcheck
	@tools/setup build test lint
	@tools/lint.sh $(BUILD)/lint

format: ## rewrite the sources as clang-format has them
	@tools/setup lint
	@git ls-files '*.c' '*.h' | xargs clang-format -i

warnings: ## gcc and clang, with every warning an error
	@tools/setup build test lint
	@for compiler in gcc clang; do \
	    echo "== $$compiler"; \
	    $(CONFIGURE) -B $(BUILD)/warnings-$$compiler $(CCACHE) -DCMAKE_C_COMPILER=$$compiler \
	        -DAKIDB_WERROR=ON -DAKIDB_TESTS=ON && \
	    $(NINJA) $(BUILD)/warnings-$$compiler --target all akidb_bench || exit 1; \
	done

fuzz: ## every fuzz target for FUZZ_SECONDS (600 unless told)
	@tools/setup build test lint
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tools/fuzz.sh $(BUILD)/fuzz

fuzz-short: ## every fuzz target for 20 seconds
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=20

bench: all ## beside the machine's limits and other engines (PyPI); results in build/bench.jsonl
	@tools/setup build bench
	@$(NINJA) $(BUILD) --target akidb_bench akidb_tiers_bench
	@bench/run.sh $(BUILD) --folder $(BENCH_DIR) --chart $(BUILD)/bench.svg $(BENCH_ARGS)
	@echo "bench/report.py $(BUILD)/bench.jsonl . puts it into the documentation"

bench-storage: ## the storage backend beside the raw disk and SQLite; build/bench-storage.jsonl
	@tools/setup build bench
	@$(MAKE) --no-print-directory all
	@$(NINJA) $(BUILD) --target akidb_storage_bench
	@$(BUILD)/akidb_storage_bench --json $(BUILD)/bench-storage.jsonl $(BENCH_STORAGE_ARGS) \
	    $(BENCH_DIR)-storage

install: all ## into PREFIX (/usr/local), under DESTDIR
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD) --prefix $(PREFIX)

clean: ## remove everything that was built
	@rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
