#!/usr/bin/env bash
# Sixteen connections that are all stuck in reads of one device (a FUSE file whose source has been
# stopped): 10,000 requests of another export are answered meanwhile. Once it goes on, each stuck
# read is answered exactly once.
source "$(dirname "$0")/../support/functions.sh"
requires nbdkit nbdfuse fusermount3
requires_python nbd
workdir

truncate -s 64M a.img good.img
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
/usr/bin/python3 "$tests/support/in_flight.py" "nbd+unix:///stuck?socket=$PWD/nbd.sock" read 16 &
stuck=$!
eventually 30 test -e sent || fail 'want the requests to be sent'
/usr/bin/python3 "$tests/support/many_requests.py" "nbd+unix:///good?socket=$PWD/nbd.sock" 10000
[[ ! -e answered ]] || fail 'a read was answered although its source was stopped'
kill -0 "$stuck" || fail 'the connections that are stuck were given up'
kill -CONT "${caches[0]}"
wait "$stuck" || fail 'not every stuck read was answered once afterwards'
stop_server
