#!/usr/bin/env bash
# Who holds memory that others wait for, and stands still for half a minute, is given up; nobody
# else is, and small requests are served all the time. Takes that half minute.
source "$(dirname "$0")/../support/functions.sh"
workdir

truncate -s 64M a.img
cat >config.json <<END
{
  "listen": ["unix://$PWD/nbd.sock"],
  "limits": {"memory": "64MiB"},
  "exports": [{"name": "", "table": [{"kind": "linear", "device": "a.img"}]}]
}
END
start_server config.json
"$tests/support/hostile/stalled.py" "$server" "nbd+unix:///?socket=$PWD/nbd.sock"
stop_server
given_up=$(grep -c 'stood still while others waited for its memory' server.log)
expect_eq "$given_up" 2 'clients given up'
