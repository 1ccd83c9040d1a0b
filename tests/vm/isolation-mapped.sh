#!/usr/bin/env bash
# Blocks that were sent from the page cache leave memory just before their disk gets stuck. Whoever
# is led there waits, eight connections here; others are served meanwhile, connect, and get memory.
# When the disk goes on, every read is answered with what is on it.
source "$(dirname "$0")/../support/vm.sh"
in_machine --disk 64M
disk=/dev/mapper/disk
modprobe dm-mod
dmsetup create disk --table '0 131072 linear /dev/vdc 0'
at_exit dmsetup remove --force disk
head -c 1M /dev/urandom | tee data | dd of="$disk" bs=1M count=1 iflag=fullblock oflag=direct status=none
truncate --size 64M good.img
cat >config.json <<END
{"listen": ["unix://$work/nbd.sock"], "exports": [
  {"name": "stuck", "cache": "buffered", "table": [{"kind": "linear", "device": "$disk", "length": "1MiB"}]},
  {"name": "good", "table": [{"kind": "linear", "device": "good.img"}]}]}
END
start_server config.json
mkdir cgroup && mount -t cgroup2 cgroup2 cgroup && echo +memory >cgroup/cgroup.subtree_control
mkdir cgroup/server && echo "$server" >cgroup/server/cgroup.procs
mapped_kb() {
    awk '$6 ~ /dm-0|mapper.disk/ { o = 1 } o && $1 == "Rss:" { print $2; exit }' "/proc/$server/smaps"
}
is_mapped() { (($(mapped_kb) + 0 >= 1024)); }
is_evicted() { echo 64M >cgroup/server/memory.reclaim 2>&- || true; (($(mapped_kb) == 0)); }
in_faults() { cat "/proc/$server"/task/*/stack | grep -q filemap_fault; }
/usr/bin/python3 "$tests/support/mapped_reads.py" "$work" & reader=$!
eventually 120 is_mapped || fail "want a MiB mapped, found $(mapped_kb) KiB"
touch mapped
eventually 60 test -e idle || fail 'it does not end'
eventually 120 is_evicted || fail "still mapped: $(mapped_kb) KiB"
dmsetup suspend --noflush --nolockfs disk
touch stuck
eventually 120 in_faults || fail "nobody waits: $(cat "/proc/$server"/task/*/wchan)"
touch waiting
eventually 300 test -e served || fail 'the other export was not served'
in_faults || fail 'nobody waits any more'
dmsetup resume disk
wait "$reader" || fail 'what was read is wrong'
stop_server
