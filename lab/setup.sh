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

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    say "not root, and no sudo here. As root, run: $*"
    exit 1
  fi
}

install_packages() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1
}

setup_host() {
  packages=$(missing_packages | sort -u)
  [ -n "$packages" ] || return 0
  say "installing" $packages
  log=$(mktemp)
  # The package lists may be absent or out of date; only then is fetching them worth the time.
  if ! install_packages $packages; then
    as_root apt-get update -qq >"$log" 2>&1 && install_packages $packages || {
      cat "$log" >&2
      say "apt-get failed"
      exit 1
    }
  fi
  rm -f "$log"
}

setup_deno() {
  lock=$lab/../tools/package-lock.json
  cmp -s "$lock" "$tools/installed.json" && [ -x "$tools/node_modules/.bin/deno" ] && return 0
  command -v npm >/dev/null || { say "needs npm: install Node.js with npm first"; exit 1; }
  say "installing Deno into $tools"
  mkdir -p "$tools"
  # npm writes in place, so installs that start together take turns.
  (
    flock 9
    cmp -s "$lock" "$tools/installed.json" && exit 0
    cp "$lab/../tools/package.json" "$lock" "$tools/"
    npm ci --prefix "$tools" --no-audit --no-fund --loglevel=error >/dev/null
    cp "$lock" "$tools/installed.json"
  ) 9>"$tools/lock"
}

for part in "$@"; do
  "setup_$part"
done
