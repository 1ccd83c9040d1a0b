#!/usr/bin/env bash
# Writes that are stuck on one filesystem hold up nobody on another export, neither readers nor
# writers nor newcomers; and once it thaws they are answered.
source "$(dirname "$0")/../support/functions.sh"
requires fsfreeze mkfs.ext4 nbdcopy
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
/usr/bin/python3 "$tests/support/in_flight.py" "nbd+unix:///stuck?socket=$PWD/nbd.sock" write &
stuck=$!
eventually 30 test -e sent || fail "want the requests to be sent"
head -c 64M /dev/urandom >data.img
nbdcopy --connections=4 --flush data.img "nbd+unix:///good?socket=$PWD/nbd.sock"
nbdcopy --connections=4 "nbd+unix:///good?socket=$PWD/nbd.sock" copy.img
cmp data.img copy.img
kill -0 "$stuck" || fail "the filesystem was not frozen"
fsfreeze --unfreeze mnt
wait "$stuck" || fail "a stuck write was not answered after the thaw"
stop_server
expect_eq "$(head -c $((192 * 4096)) mnt/stuck.img | tr -d x | wc -c)" 0 "bytes not written"
