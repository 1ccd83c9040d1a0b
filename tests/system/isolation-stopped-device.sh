#!/usr/bin/env bash
# Reads that are stuck in one device (a FUSE file whose source has been stopped) hold up nobody on
# another export; and once it goes on they are answered.
source "$(dirname "$0")/../support/functions.sh"
requires nbdkit nbdfuse nbdcopy
requires_python nbd
workdir

truncate -s 64M a.img
head -c 64M /dev/urandom >good.img
lossy_file a
cat >config.json <<END
{
  "listen": ["unix://$PWD/nbd.sock"],
  "exports": [
    {"name": "stuck", "read_only": true, "table": [{"kind": "linear", "device": "a/nbd"}]},
    {"name": "good", "table": [{"kind": "linear", "device": "good.img"}]}
  ]
}
END
start_server config.json
kill -STOP "${caches[0]}"
/usr/bin/python3 "$tests/support/in_flight.py" "nbd+unix:///stuck?socket=$PWD/nbd.sock" read &
stuck=$!
eventually 30 test -e sent || fail "want the requests to be sent"
nbdcopy --connections=4 "nbd+unix:///good?socket=$PWD/nbd.sock" copy.img
cmp good.img copy.img
kill -0 "$stuck" || fail "the device was not stuck"
kill -CONT "${caches[0]}"
wait "$stuck" || fail "a stuck read was not answered afterwards"
stop_server
