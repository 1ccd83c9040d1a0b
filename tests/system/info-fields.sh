#!/usr/bin/env bash
# What a client is told about an export before it uses it: size, flags, block sizes, contexts.
source "$(dirname "$0")/../support/functions.sh"
requires nbdinfo
workdir

truncate -s 3M a.img
truncate -s 1M b.img
start_server --export vol --description "two files" --listen "unix://$PWD/nbd.sock" a.img b.img
uri="nbd+unix:///vol?socket=$PWD/nbd.sock"

nbdinfo --no-content --json "$uri" >info.json
/usr/bin/python3 - info.json <<'END'
import json, sys
info = json.load(open(sys.argv[1]))
assert info["protocol"] == "newstyle-fixed", info
[export] = info["exports"]
wanted = {
    "export-name": "vol", "description": "two files", "export-size": 4 << 20,
    "is_read_only": False, "can_flush": True, "can_fua": True, "can_multi_conn": True,
    "can_trim": True, "can_zero": True, "can_df": True,
    "can_cache": True, "can_fast_zero": True,
    "block_size_minimum": 1, "block_size_maximum": 32 << 20,
    "contexts": ["base:allocation", "qemu:allocation-depth"],
}
found = {key: export.get(key) for key in wanted}
assert found == wanted, found
assert export["block_size_preferred"] >= 512, export
END
expect_eq "$(nbdinfo --size "$uri")" $((4 << 20)) size
nbdinfo --can structured-reply "$uri"
nbdinfo --can multi-conn "$uri"
if nbdinfo "nbd+unix:///other?socket=$PWD/nbd.sock" 2>/dev/null; then
    fail "an export of another name was found"
fi
stop_server
