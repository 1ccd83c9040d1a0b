#!/usr/bin/env bash
# 32 MiB are read and written in one request, at odd places and over the border of two devices. One
# byte more is refused and changes nothing; its payload is read all the same, but for that of an
# extended request, which ends the connection and harms nobody else.
source "$(dirname "$0")/../support/functions.sh"
workdir

truncate -s 40M a.img b.img disk.img
loop_on disk.img --sector-size 4096
cat >config.json <<END
{"listen": ["unix://$PWD/nbd.sock"], "exports": [
  {"name": "files", "table": [{"kind": "linear", "device": "a.img", "length": "20MiB"},
                              {"kind": "linear", "device": "b.img", "offset": 777}]},
  {"name": "disk", "table": [{"kind": "linear", "device": "$loop"}]}]}
END
start_server config.json
try() { # EXPORT FRAMING...
    "$tests/support/largest_requests.py" "nbd+unix:///$1?socket=$PWD/nbd.sock" "${@:2}"
}
try files simple structured extended
try disk simple extended
stop_server
