#!/usr/bin/env bash
# --check of a right configuration prints the resolved tables and takes no claim: it works beside a
# server on the same devices.
source "$(dirname "$0")/../support/functions.sh"
workdir

truncate -s 4M a.img
truncate -s 6M b.img
cat >config.json <<END
{
  "listen": ["unix://$PWD/nbd.sock"],
  "exports": [{
    "name": "vol",   // as a file from another tool may have it
    "dm_table": ["0 4096 linear $PWD/a.img 2048", "4096 8192 linear $PWD/b.img 0"]
  }]
}
END
"$INTERPOSED" --check config.json >alone.txt
for word in vol a.img b.img; do grep -q "$word" alone.txt || fail "$(cat alone.txt)"; done
[[ ! -e nbd.sock ]] || fail "--check has bound a socket"

start_server config.json
"$INTERPOSED" --check config.json >beside.txt
cmp alone.txt beside.txt
stop_server
