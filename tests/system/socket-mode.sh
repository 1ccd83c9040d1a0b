#!/usr/bin/env bash
# A Unix socket gets the mode, owner and group of the configuration before anybody can connect, and
# is removed at the end.
source "$(dirname "$0")/../support/functions.sh"
requires nbdinfo
workdir

truncate -s 1M a.img
cat >config.json <<END
{
  "listen": [
    {"unix": "group.sock", "mode": "0660", "group": "disk"},
    {"unix": "$PWD/all.sock", "mode": "0666", "owner": "nobody"}
  ],
  "exports": [{"name": "", "table": [{"kind": "linear", "device": "a.img"}]}]
}
END
start_server config.json
expect_eq "$(stat -c '%a %U %G' group.sock)" "660 root disk" group.sock
expect_eq "$(stat -c '%a %U' all.sock)" "666 nobody" all.sock
for socket in group all; do nbdinfo --size "nbd+unix:///?socket=$PWD/$socket.sock"; done
stop_server
[[ ! -e group.sock && ! -e all.sock ]] || fail "a socket was left behind"
