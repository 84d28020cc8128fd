#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is missing, and only that: `setup.sh host` the Debian packages of host_tools.txt,
# `setup.sh lint` those of lint_tools.txt, `setup.sh machines` those that only some machines need,
# too, `setup.sh deno` the Deno that tools/package-lock.json pins, `setup.sh deno_arm64` the same one
# for a machine of that kind, `setup.sh bench` what vss is measured beside: bench/packages.txt,
# bench/peers/package-lock.json. Prints nothing where all is there.
set -eu
lab=$(dirname "$0")
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vss
tools=$cache/tools

say() { echo "setup: $*" >&2; }

# Of a list of tools and their packages, those that are missing; of those that only one machine
# needs, only where $2 says `machines`.
missing_packages() {
  PATH=$PATH:/usr/sbin:/sbin
  grep -v '^#' "$1" | while read -r name package machine; do
    [ -z "$machine" ] || [ "$2" = machines ] || continue
    case $name in
      /*) [ -e "$name" ] || echo "$package" ;;
      ?*) command -v "$name" >/dev/null || echo "$package" ;;
    esac
  done
}

apt_install="apt-get install -y --no-install-recommends"

# Says what root would have to run where this user cannot become root.
require_root() {
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || {
    say "not root, and no sudo here. As root, run: $apt_install $*"
    exit 1
  }
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Use-Pty=0 -qq "$@" >"$log" 2>&1
}

install_debian() {
  packages=$(missing_packages "$1" "${2:-}" | sort -u)
  [ -n "$packages" ] || return 0
  require_root $packages
  say "installing" $packages
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  # The package lists may be absent or out of date; only then is fetching them worth the time.
  apt_get install -y --no-install-recommends $packages ||
    { apt_get update && apt_get install -y --no-install-recommends $packages; } || {
      cat "$log" >&2
      say "apt-get failed"
      exit 1
    }
}

setup_host() {
  install_debian "$lab/host_tools.txt"
}

setup_machines() {
  install_debian "$lab/host_tools.txt" machines
}

# Whether what a lock file pins is in a folder, whole.
has_npm() {
  cmp -s "$1/package-lock.json" "$2/installed.json"
}

# Installs what the lock file of one folder pins into another; $3 says what that is, and further
# words are npm's.
install_npm() {
  from=$1
  to=$2
  what=$3
  shift 3
  has_npm "$from" "$to" && return 0
  command -v npm >/dev/null || { say "needs npm: install Node.js with npm first"; exit 1; }
  say "installing $what into $to"
  mkdir -p "$to"
  # npm writes in place, so installs that start together take turns.
  (
    flock 9
    has_npm "$from" "$to" && exit 0
    rm -f "$to/installed.json"
    cp "$from/package.json" "$from/package-lock.json" "$to/"
    npm ci --prefix "$to" "$@" --no-audit --no-fund --loglevel=error >/dev/null
    cp "$from/package-lock.json" "$to/installed.json"
  ) 9>"$to/lock"
}

setup_lint() {
  install_debian "$lab/lint_tools.txt"
}

setup_deno() {
  [ -x "$tools/node_modules/.bin/deno" ] || rm -f "$tools/installed.json"
  install_npm "$lab/../tools" "$tools" Deno
}

setup_deno_arm64() {
  # Its scripts would run it.
  install_npm "$lab/../tools" "$tools-arm64" "Deno for arm64" \
    --os=linux --cpu=arm64 --libc=glibc --ignore-scripts
}

setup_bench() {
  install_debian "$lab/../bench/packages.txt"
  install_npm "$lab/../bench/peers" "$cache/bench-peers" "npm's peers"
}

for part in "$@"; do
  "setup_$part"
done
