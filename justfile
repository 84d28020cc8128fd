# SPDX-License-Identifier: MIT

set positional-arguments

cache := if env("XDG_CACHE_HOME", "") == "" { env("HOME", "/root") / ".cache" } else { env("XDG_CACHE_HOME") }
export PATH := (cache / "vss/tools/node_modules/.bin") + ":" + env("PATH")
lab := justfile_directory() / "lab"

[private]
list:
    @{{ quote(just_executable()) }} --justfile {{ quote(justfile()) }} --list --unsorted

# run COMMAND in a throwaway Linux with the driver loaded
[no-cd, no-exit-message]
lab *ARGS: _deno
    @exec deno run --quiet --no-check --allow-all {{ quote(lab / "main.ts") }} "$@"

# open a shell in a throwaway Linux with the driver loaded
[no-cd, no-exit-message]
shell *ARGS: _deno
    @exec deno run --quiet --no-check --allow-all {{ quote(lab / "main.ts") }} --shell "$@"

# install what is missing: Debian packages, and Deno
setup:
    @sh {{ quote(lab / "setup.sh") }} host deno

# run every test, or those stages whose names hold one of the WORDS
[no-exit-message]
test *WORDS: setup
    @sh {{ quote(lab / "setup.sh") }} lint
    @exec deno run --quiet --no-check --allow-all tests/run.ts "$@"

# read damaged files for SECONDS; a SEED gives the same again
[no-exit-message]
fuzz-readers SECONDS *SEED: _deno
    @exec deno run --quiet --no-check --allow-all tests/fuzz/readers.ts "$@"

# look for SECONDS for rows that their codes rule out, and should not; a SEED gives the same again
[no-exit-message]
fuzz-bounds SECONDS *SEED: setup
    @make --silent -C tests/bounds CC=gcc-12
    @exec build/tests/bounds/bounds "$@"

# make hostile calls for SECONDS in a MACHINE; a SEED gives each thread the same again
[no-exit-message]
fuzz SECONDS SEED="" MACHINE="uml": setup
    @mkdir -p build/tests/kernel
    @gcc -static -pthread -O1 -g -Wall -Wextra -Werror -Ikernel/uapi -o build/tests/kernel/fuzz tests/kernel/fuzz.c
    @exec deno run --quiet --no-check --allow-all lab/main.ts --machine "$3" -- build/tests/kernel/fuzz "$1" $2

# run the device suite and the C programs on every machine of the lab, or on those named
[no-exit-message]
test-matrix *MACHINES: setup
    @sh {{ quote(lab / "setup.sh") }} machines
    @exec deno run --quiet --no-check --allow-all tests/matrix.ts "$@"

# try the driver for hours, or with the TRIALS named, and write docs/reliability.md
[no-exit-message]
soak *TRIALS: setup
    @sh {{ quote(lab / "setup.sh") }} machines
    @exec deno run --quiet --no-check --allow-all tests/soak/main.ts "$@"

# import FILE (or the descriptions of all Debian packages) and answer each QUERY
[no-cd, no-exit-message]
demo *FILE_AND_QUERIES: setup
    @exec deno run --quiet --no-check --allow-all {{ quote(justfile_directory() / "demo/main.ts") }} "$@"

# measure vss beside its peers and write bench/results; see --help
[no-exit-message]
bench *ARGS: setup
    @sh {{ quote(lab / "setup.sh") }} bench
    @exec deno run --quiet --no-check --allow-all bench/main.ts "$@"

# build the driver and insert it into this machine's kernel, with parameters such as simd=scalar
[no-exit-message]
load *PARAMETERS: _deno
    @exec deno run --quiet --no-check --allow-all lab/load.ts "$@"

# remove the driver from this machine's kernel
[no-exit-message]
unload: _deno
    @exec deno run --quiet --no-check --allow-all lab/unload.ts

# build the driver for this machine's kernel
build:
    make -C kernel

# format the TypeScript
fmt: _deno
    deno fmt

# lint the TypeScript and its documentation, and check the driver by sparse, coccinelle and others
lint: setup
    @sh {{ quote(lab / "setup.sh") }} lint
    deno lint
    deno doc --lint mod.ts cli.ts client/formats/mod.ts
    @deno run --quiet --no-check --allow-all tests/static/main.ts

# check the types
check: _deno
    deno check --doc mod.ts cli.ts README.md docs/cache.md bench client demo lab tests

# write the library's manual as HTML to build/doc
doc: _deno
    deno doc --html --output=build/doc mod.ts

[private]
_deno:
    @sh {{ quote(lab / "setup.sh") }} deno
