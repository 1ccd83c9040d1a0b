#!/usr/bin/env bash
# Sixteen connections that are all stuck in writes on one filesystem: 10,000 requests of another
# export are answered meanwhile. Once it thaws, each stuck write is answered exactly once.
source "$(dirname "$0")/../support/functions.sh"
requires fsfreeze mkfs.ext4
requires_python nbd
workdir

truncate -s 64M fs.img good.img
loop_on fs.img
mkfs.ext4 -q "$loop"
mkdir mnt
mount "$loop" mnt
truncate -s 8M mnt/stuck.img
cat >config.json <<END
{
  "listen": ["unix://$PWD/nbd.sock"],
  "exports": [
    {"name": "stuck", "table": [{"kind": "linear", "device": "mnt/stuck.img"}]},
    {"name": "good", "table": [{"kind": "linear", "device": "good.img"}]}
  ]
}
END
start_server config.json
fsfreeze --freeze mnt
/usr/bin/python3 "$tests/support/in_flight.py" "nbd+unix:///stuck?socket=$PWD/nbd.sock" write 16 &
stuck=$!
eventually 30 test -e sent || fail 'want the requests to be sent'
/usr/bin/python3 "$tests/support/many_requests.py" "nbd+unix:///good?socket=$PWD/nbd.sock" 10000
[[ ! -e answered ]] || fail 'a write was answered although the filesystem was frozen'
kill -0 "$stuck" || fail 'the connections that are stuck were given up'
fsfreeze --unfreeze mnt
wait "$stuck" || fail 'not every stuck write was answered once after the thaw'
stop_server
expect_eq "$(head -c $((256 * 4096)) mnt/stuck.img | tr -d x | wc -c)" 0 'bytes not written'
