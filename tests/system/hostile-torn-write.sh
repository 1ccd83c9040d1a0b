#!/usr/bin/env bash
# A client that vanishes within the payload of a WRITE may leave part of it, and nothing outside of
# its range: on a file, over the border of two devices, and on a disk with larger blocks.
source "$(dirname "$0")/../support/functions.sh"
workdir

truncate -s 32M file.img a.img b.img disk.img
loop_on disk.img --sector-size 4096
port=$(free_port)
cat >config.json <<END
{"listen": ["unix://$PWD/nbd.sock", "tcp://127.0.0.1:$port"], "exports": [
  {"name": "file", "table": [{"kind": "linear", "device": "file.img"}]},
  {"name": "two", "table": [{"kind": "linear", "device": "a.img", "length": 12593155},
                            {"kind": "linear", "device": "b.img", "offset": 777}]},
  {"name": "disk", "table": [{"kind": "linear", "device": "$loop"}]}]}
END
start_server config.json
for name in file two disk; do
    "$tests/support/hostile/torn_write.py" "$server" "nbd+unix:///$name?socket=$PWD/nbd.sock"
    "$tests/support/hostile/torn_write.py" "$server" "nbd://127.0.0.1:$port/$name"
done
stop_server
