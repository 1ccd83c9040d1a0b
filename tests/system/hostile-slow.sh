#!/usr/bin/env bash
# Clients that read or write a byte at a time, close half their connection in the middle of
# anything, or go on after DISC: others are served meanwhile, and what was asked for is answered.
source "$(dirname "$0")/../support/functions.sh"
workdir

truncate -s 200M slow.img
truncate -s 16M good.img
port=$(free_port)
cat >config.json <<END
{
  "listen": ["unix://$PWD/nbd.sock", "tcp://127.0.0.1:$port"],
  "limits": {"memory": "512MiB"},
  "exports": [
    {"name": "slow", "table": [{"kind": "linear", "device": "slow.img"}]},
    {"name": "good", "table": [{"kind": "linear", "device": "good.img"}]}
  ]
}
END
start_server config.json
for uri in "nbd+unix:///slow?socket=$PWD/nbd.sock" "nbd://127.0.0.1:$port/slow"; do
    "$tests/support/hostile/slow.py" "$server" "$uri" "${uri/slow/good}"
done
stop_server
