#!/usr/bin/env bash
# Every client's way of listing shows every export, with its description where it shows one.
source "$(dirname "$0")/../support/functions.sh"
requires nbdinfo qemu-nbd nbd-client
workdir

truncate -s 1M a.img
truncate -s 2M b.img
port=$(free_port)
cat >config.json <<END
{
  "listen": ["tcp://127.0.0.1:$port"],
  "exports": [
    {"name": "alpha", "description": "the first", "table": [{"kind": "linear", "device": "a.img"}]},
    {"name": "dir/β eta", "table": [{"kind": "linear", "device": "b.img"}]}
  ]
}
END
start_server config.json

nbdinfo --list --json "nbd://127.0.0.1:$port" >list.json
/usr/bin/python3 - list.json <<'END'
import json, sys
exports = json.load(open(sys.argv[1]))["exports"]
found = [(e["export-name"], e.get("description"), e["export-size"]) for e in exports]
assert found == [("alpha", "the first", 1 << 20), ("dir/β eta", None, 2 << 20)], found
END
qemu-nbd --list --bind=127.0.0.1 --port="$port" >qemu.txt
grep -q "exports available: 2" qemu.txt || fail "$(cat qemu.txt)"
grep -q "description: the first" qemu.txt || fail "$(cat qemu.txt)"
nbd-client -l 127.0.0.1 "$port" >client.txt
grep -q '^alpha' client.txt || fail "$(cat client.txt)"
grep -q '^dir/β eta' client.txt || fail "$(cat client.txt)"
stop_server
