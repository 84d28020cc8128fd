#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs test programs one after the other in the machine that it is in, each on a freshly loaded
# driver, and reports them as the parts of one KTAP stream:
#   each.sh MODULE { COMMAND PARAMETERS }…
set -uo pipefail
module=$1
shift

# A program may have unloaded the driver; or its processes, where it killed some, may take a moment
# to let go of it.
unload() {
  for _ in $(seq 100); do
    [ -e /sys/module/vss ] || return 0
    message=$(rmmod vss 2>&1) && return
    sleep 0.1
  done
  echo "$message" >&2
  return 1
}

echo "KTAP version 1"
number=0
while [ $# -gt 0 ]; do
  result=ok
  begin=$SECONDS
  # The command's and the parameters' words are words of their own.
  if ! unload || ! insmod "$module" $2 || ! $1 | sed "s/^/    /"; then result="not ok"; fi
  echo "# ${1##*/}: $((SECONDS - begin)) s"
  echo "$result $((++number)) - ${1##*/}"
  shift 2
done
echo "1..$number"
