#!/usr/bin/env bash
# More connections than a client may have, and than the server takes: who is over is closed at once,
# the others live on, and a place that becomes free is taken. Who chooses no export in time is sent
# away, silent or trickling; nothing stays behind.
source "$(dirname "$0")/../support/functions.sh"
workdir

truncate -s 1M a.img
port=$(free_port)
cat >config.json <<END
{
  "listen": ["tcp://127.0.0.1:$port", "unix://$PWD/nbd.sock"],
  "limits": {"connections": 8, "connections_per_client": 4, "handshake_timeout_s": 1},
  "exports": [{"name": "", "table": [{"kind": "linear", "device": "a.img"}]}]
}
END
start_server config.json
"$tests/support/hostile/connections.py" "$server" "nbd://127.0.0.1:$port/" \
    "nbd+unix:///?socket=$PWD/nbd.sock"
stop_server
expect_in "$(cat server.log)" 'turned away: want at most 4 connections of a client, found as many'
expect_eq "$(grep -c 'no export chosen within 1 s' server.log)" 8 'idlers sent away'
