# A thin door. The build is CMake's; CMakePresets.json has the other builds.
.PHONY: all deps build install demo test test-kafka test-arm64 format clean
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local

all: build

# Installs the Debian packages that are missing; silent when none is.
deps:
	@cmake/deps.sh

build: deps
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS)

# Executable, library, headers, pkg-config file, schemas and settings; DESTDIR goes before PREFIX, as everywhere.
install: build
	@cmake --install build/release --prefix $(PREFIX)

# A shop in the terminal and on a live page, until Ctrl-C or for DEMO_SECONDS.
demo: build
	@build/release/tailwater demo --seconds $(or $(DEMO_SECONDS),0)

# The whole suite, then the whole suite again under the address and undefined-behaviour sanitizers.
test: build
	@cmake --preset asan >/dev/null
	@cmake --build --preset asan -j $(JOBS)
	@cmake/prometheus.sh build/prometheus
	@cmake/test.sh build/release build/asan

# The suite against a real Kafka broker and schema registry, from packages; KAFKA_VERSION=3.9.2 for another one, FAULTS=short for fewer.
test-kafka: build
	@cmake/deps.sh kafka
	@tests/kafka/run.sh

# The code cross-built for arm64 and run under qemu-user; what it needs is installed and fetched first.
test-arm64: build
	@cmake/deps.sh arm64
	@cmake/arm64.sh build/arm64-root
	@ctest --test-dir build/release -R arm64 --output-on-failure --no-tests=error

format:
	@git ls-files '*.c' '*.h' '*.inc' | xargs clang-format -i

clean:
	rm -rf build
