# SPDX-License-Identifier: MIT
# The guest's first process once the host's files are visible: loads the driver, runs the command,
# and reports. settings.sh, written by the lab (see settings.ts), defines the variables that are not
# assigned here, and the function run_command.
set -u
cd /run/vss-lab
b=/run/vss-lab/busybox
. ./settings.sh

# The device file of a channel: the one that the settings name, or the virtio port with the
# channel's name; those appear shortly after their driver.
port() {
  eval "device=\$device_$1"
  if [ "$device" ]; then
    # A serial line is a terminal, which would change what passes and echo it.
    [ "$1" = terminal ] || $b stty -F "$device" raw -echo
    echo "$device"
    return
  fi
  while :; do
    for folder in /sys/class/virtio-ports/*; do
      if [ "$($b cat "$folder/name" 2>/dev/null)" = "$1" ]; then
        echo "/dev/${folder##*/}"
        return
      fi
    done
    $b usleep 20000
  done
}

# Writes the lab's standard input: what a port passes on until its end, or the files of the job
# whose names a serial line passes on until an empty one.
input() {
  [ "$device_stdin" ] || exec $b cat
  while read -r name && [ "$name" ]; do
    $b cat "job/$name"
    $b rm "job/$name"
  done
}

# Ends what the command left running: all but the kernel's own processes, which have no program,
# and the lab's.
end_processes() {
  for folder in /proc/[0-9]*; do
    program=$($b readlink "$folder/exe") || continue
    [ "$program" = "$b" ] || kill -9 "${folder#/proc/}" 2>/dev/null
  done
}

# Tells the kernel's log of memory that is left and that nothing points to, where the kernel keeps
# track of it. It suspects what is 5 seconds old, and unchanged since the scan before.
kmemleak=/sys/kernel/debug/kmemleak
find_leaks() {
  $b sleep 5.5
  for _ in 1 2; do
    echo scan >$kmemleak || echo "<3>BUG: kmemleak cannot scan" >/dev/kmsg
  done
  while IFS= read -r line; do echo "<3>$line" >/dev/kmsg; done <$kmemleak
}

# Waits for the lab to have read everything: it stops the machine, and never writes here.
finish() {
  echo "$*" >&3
  while :; do read -r _ <&3; done
}

# From here on the log carries everything; booting shows only what is wrong.
$b dmesg -n 7
$b hostname "$machine"
$b ip link set lo up
[ ! -d /sys/kernel/debug ] || $b mount -t debugfs debugfs /sys/kernel/debug
echo "+memory +cpu +pids" >/sys/fs/cgroup/cgroup.subtree_control
$b mkdir -p "/lib/modules/$release"
$b mount -o bind "$modules" "/lib/modules/$release"

exec 3<>"$(port control)"
# What arrives on a serial line before it is open is noticed late, or never: open before it can.
if [ "$interactive" = yes ]; then
  exec 4<>"$(port terminal)"
elif [ "$has_input" = yes ]; then
  exec 4<"$(port stdin)"
fi
echo started >&3

echo "vss-lab: loading the driver" >/dev/kmsg
if ! message=$(eval "$b insmod \"\$module\" $module_args" 2>&1); then
  finish "unloadable $message"
fi

if [ "$interactive" = yes ]; then
  terminal=$(port terminal)
  $b stty $terminal_size <"$terminal"
  $b setsid -c $b sh -c '. ./settings.sh; run_command' <"$terminal" >"$terminal" 2>&1 3>&- 4>&-
  status=$?
  end_processes
  printf %s "$token" >"$terminal"
else
  # Pipes between the command and the ports: a port can be opened once only, a pipe through
  # /dev/stdout again and again.
  $b mkfifo in out err
  { $b cat; printf %s "$token"; } <out >"$(port stdout)" &
  out=$!
  { $b cat; printf %s "$token"; } <err >"$(port stderr)" &
  err=$!
  if [ "$has_input" = yes ]; then
    input <&4 >in &
  else
    : >in &
  fi
  # In a process that has no children yet: the end of one would interrupt the opening of a pipe.
  (exec $b setsid $b sh -c '. ./settings.sh; run_command') <in >out 2>err 3>&- 4>&-
  status=$?
  end_processes
  wait "$out" "$err"
fi

# With every user of the driver gone it must let itself be removed, and say nothing. Those ended
# just now may take a moment to let go of it.
tries=50
while [ -e /sys/module/vss ] && ! message=$($b rmmod vss 2>&1); do
  tries=$((tries - 1))
  [ $tries -gt 0 ] || finish "stuck $message"
  $b usleep 100000
done
[ ! -e $kmemleak ] || find_leaks
$b sync
finish "exit $status"
