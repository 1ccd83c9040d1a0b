#!/usr/bin/env bash
# A hundred thousand options, options of 4 GiB, megabytes of metadata queries, and nobody reads the
# answers: each such client is ended, memory stays bounded, and others are served meanwhile.
source "$(dirname "$0")/../support/functions.sh"
workdir

truncate -s 64M a.img
letters=$(head -c 4096 /dev/zero | tr '\0' x)
cat >config.json <<END
{
  "listen": ["unix://$PWD/nbd.sock"],
  "limits": {"memory": "64MiB", "handshake_timeout_s": 2},
  "exports": [
    {"name": "", "table": [{"kind": "linear", "device": "a.img", "length": "32MiB"}]},
    {"name": "$letters", "description": "$letters",
     "table": [{"kind": "linear", "device": "a.img", "offset": "32MiB"}]}
  ]
}
END
start_server config.json
"$tests/support/hostile/options.py" "$server" "nbd+unix:///?socket=$PWD/nbd.sock"
stop_server
