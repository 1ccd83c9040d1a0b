#!/usr/bin/env bash
# Blocks that were sent from the page cache leave memory just before their disk gets stuck. Of those
# who ask for them, one or another is led there and waits for the page, no more than there are loops;
# others are served meanwhile, also blocks of that disk that are in memory; new clients connect, and
# get memory. When the disk goes on, every read is answered with what is on it.
source "$(dirname "$0")/../support/functions.sh"
requires nbdkit nbdfuse fusermount3
requires_python nbd
workdir
printf '6.7\n%s\n' "$(uname -r)" | sort --check --version-sort 2>/dev/null || skip 'want Linux 6.7'
[[ -r /proc/self/stack ]] || skip 'want to see where threads wait'

head -c 1M /dev/urandom >disk.img
lossy_file disk
loop_on disk/nbd >/dev/null
truncate --size 64M good.img
cat >config.json <<END
{"listen": ["unix://$PWD/nbd.sock"], "exports": [
  {"name": "stuck", "cache": "buffered", "table": [{"kind": "linear", "device": "$loop"}]},
  {"name": "good", "table": [{"kind": "linear", "device": "good.img"}]}]}
END
start_server config.json
in_faults() { cat "/proc/$server"/task/*/stack 2>/dev/null | grep -c '\bfilemap_fault' || true; }
somebody_waits() { (($(in_faults) > 0)); }

/usr/bin/python3 "$tests/support/mapped_reads.py" "$PWD" "$server" "$loop" & reader=$!
at_exit kill_hard "$reader"
eventually 120 test -e evicted || fail 'the blocks are not mapped, or stay in memory'
kill -STOP "${caches[0]}"
at_exit kill -CONT "${caches[0]}"
touch stuck
eventually 60 somebody_waits || fail "nobody waits: $(cat "/proc/$server"/task/*/wchan)"
touch waiting
eventually 120 test -e served || fail 'the other export was not served'
(($(in_faults) <= $(nproc))) || fail "want at most one for a loop to wait, found $(in_faults)"
somebody_waits || fail 'nobody waits any more'
kill -CONT "${caches[0]}"
wait "$reader" || fail 'what was read is wrong'
stop_server
