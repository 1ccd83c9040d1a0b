#!/usr/bin/env bash
# Hundreds of thousands of requests in a row from many connections that read no reply: the server
# keeps within its memory and serves others. When they read after all, each request has been
# answered exactly once.
source "$(dirname "$0")/../support/functions.sh"
workdir

truncate -s 32M flooded.img
truncate -s 16M good.img
cat >config.json <<END
{
  "listen": ["unix://$PWD/nbd.sock"],
  "limits": {"memory": "64MiB"},
  "exports": [
    {"name": "flooded", "table": [{"kind": "linear", "device": "flooded.img"}]},
    {"name": "good", "table": [{"kind": "linear", "device": "good.img"}]}
  ]
}
END
start_server config.json
"$tests/support/hostile/pipeline.py" "$server" "nbd+unix:///flooded?socket=$PWD/nbd.sock" \
    "nbd+unix:///good?socket=$PWD/nbd.sock"
stop_server
