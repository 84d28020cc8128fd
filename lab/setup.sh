#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is missing, and only that: `setup.sh host` the Debian packages of host_tools.txt,
# `setup.sh deno` the Deno that tools/package-lock.json pins. Prints nothing where all is there.
set -eu
lab=$(dirname "$0")
tools=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vss/tools

say() { echo "setup: $*" >&2; }

missing_packages() {
  PATH=$PATH:/usr/sbin:/sbin
  grep -v '^#' "$lab/host_tools.txt" | while read -r name package; do
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

setup_host() {
  packages=$(missing_packages | sort -u)
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

# Whether the pinned Deno is there, whole.
has_deno() {
  cmp -s "$lock" "$tools/installed.json" && [ -x "$tools/node_modules/.bin/deno" ]
}

setup_deno() {
  lock=$lab/../tools/package-lock.json
  has_deno && return 0
  command -v npm >/dev/null || { say "needs npm: install Node.js with npm first"; exit 1; }
  say "installing Deno into $tools"
  mkdir -p "$tools"
  # npm writes in place, so installs that start together take turns.
  (
    flock 9
    has_deno && exit 0
    rm -f "$tools/installed.json"
    cp "$lab/../tools/package.json" "$lock" "$tools/"
    npm ci --prefix "$tools" --no-audit --no-fund --loglevel=error >/dev/null
    cp "$lock" "$tools/installed.json"
  ) 9>"$tools/lock"
}

for part in "$@"; do
  "setup_$part"
done
