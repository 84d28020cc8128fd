#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# The guest's first process. Builds its file system, the host's own with a layer in memory above it
# that takes all writes, and hands over to session.sh. The kernel passes the lab's boot parameters
# as variables:
#   vss_job      the host folder with this run's settings
#   vss_project  the project's folder
#   vss_files    the file system that holds the host's files: 9p (in QEMU) or hostfs
#   vss_layers   what covers the host's files, and these, with colons between
# A failing step ends this script; losing its first process makes the kernel panic, which the lab
# reports with the log.
set -eu
b=/bin/busybox

$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
exec </dev/console >/dev/console 2>&1

for module in /modules/*; do [ ! -e "$module" ] || $b insmod "$module"; done

# Files of the host are not expected to change under a running guest, so all may be cached.
p9=trans=virtio,version=9p2000.L,msize=512000
case $vss_files in
  9p)
    $b mount -t 9p -o "ro,cache=loose,$p9" host /host
    [ "$vss_layers" = /host ] || $b mount -t 9p -o "ro,cache=loose,$p9" userland /userland
    ;;
  hostfs) $b mount -t hostfs -o / host /host ;;
esac
$b mkdir /layer
$b mount -t tmpfs -o mode=755 layer /layer
$b mkdir /layer/upper /layer/work
$b mount -t overlay -o lowerdir=$vss_layers,upperdir=/layer/upper,workdir=/layer/work overlay /root

$b mount -t proc proc /root/proc
$b mount -t sysfs sysfs /root/sys
$b mount -t cgroup2 cgroup2 /root/sys/fs/cgroup
$b mount -t devtmpfs -o mode=755 devtmpfs /root/dev
$b mkdir -p /root/dev/pts /root/dev/shm
$b mount -t devpts -o mode=620,ptmxmode=666 devpts /root/dev/pts
$b mount -t tmpfs -o mode=1777 shm /root/dev/shm
$b ln -sfn /proc/self/fd /root/dev/fd
for pair in 0:stdin 1:stdout 2:stderr; do
  $b ln -sfn "/proc/self/fd/${pair%:*}" "/root/dev/${pair#*:}"
done
$b mount -t tmpfs -o mode=755 run /root/run
case $vss_files in
  9p) $b mount -t 9p -o "rw,cache=mmap,$p9" build "/root$vss_project/build" ;;
  hostfs) $b mount -o bind "/host$vss_project/build" "/root$vss_project/build" ;;
esac

# What the host itself mounts on /run is hidden now, so the settings come from below the layer.
$b mkdir -p /root/run/vss-lab/job
[ $vss_files != hostfs ] || $b mount -o bind "/host$vss_job" /root/run/vss-lab/job
$b cp "/host$vss_job/settings.sh" /bin/busybox /session.sh /root/run/vss-lab/
$b umount /proc /sys
exec $b switch_root /root /run/vss-lab/busybox sh /run/vss-lab/session.sh
