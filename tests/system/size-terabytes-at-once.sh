#!/usr/bin/env bash
# TRIM, WRITE_ZEROES, CACHE and BLOCK_STATUS of terabytes in one request: of one sparse file, and of
# a table of four thousand segments. The server needs no more memory for them than for small ones.
source "$(dirname "$0")/../support/functions.sh"
workdir

truncate -s 8T one.img many.img || skip 'want a filesystem with files of 8 TiB'
segment='{"kind": "linear", "device": "many.img", "offset": "%sMiB", "length": "1GiB"}%s\n'
{   # every other GiB, the last one first, so that no two segments touch
    printf '{"listen": ["unix://%s/nbd.sock"], "exports": [{"name": "many", "table": [\n' "$PWD"
    for ((i = 3999; i > 0; --i)); do printf "$segment" $((i << 11)) ,; done
    printf "$segment" 0 ']}, {"name": "one", "table": [{"kind": "linear", "device": "one.img"}]}]}'
} >config.json
start_server config.json

cat >ask.py <<'END'
import sys
from raw_client import enter, wire
from suite import pattern
c = enter(sys.argv[1], extended=True, contexts=["base:allocation"])
size, data = c.size, pattern(10000)
places = (0, (1 << 30) - 5000, size // 2 + 1, size - 10000)
for command in (wire.CMD_CACHE, wire.CMD_TRIM, wire.CMD_WRITE_ZEROES):
    for place in places:
        c.expect_ok(wire.CMD_WRITE, place, payload=data)
    c.expect_ok(command, 1, size - 2)
    c.expect_data(0, data[:1])
    c.expect_data(size - 1, data[-1:])
for place in places:
    c.expect_data(place + 1, bytes(9998))
[runs] = c.expect_ok(wire.CMD_BLOCK_STATUS, 4096, size - 4096).status.values()
assert runs[0][0] > 60 << 30 and runs[0][1] == 3, runs
END
for name in one many; do
    raw_python ask.py "nbd+unix:///$name?socket=$PWD/nbd.sock"
done
most_kb=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$server/status")
grep -q libasan "/proc/$server/maps" || ((most_kb < 100 << 10)) || fail "it has used $most_kb KiB"
stop_server
(($(stat -c %b one.img) + $(stat -c %b many.img) < 8 << 11)) || fail 'the files are not sparse'
