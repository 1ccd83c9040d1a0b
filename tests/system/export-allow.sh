#!/usr/bin/env bash
# "allow" lets only clients of these addresses use an export, and the others see the rest. Clients of
# a Unix socket have no address: who may connect is said by its mode.
source "$(dirname "$0")/../support/functions.sh"
requires nbdinfo
workdir

truncate -s 1M a.img b.img c.img
port=$(free_port)
cat >config.json <<END
{
  "listen": ["tcp://127.0.0.1:$port", "tcp://[::1]:$port", "unix://$PWD/nbd.sock"],
  "exports": [
    {"name": "v4", "allow": ["127.0.0.0/8"], "table": [{"kind": "linear", "device": "a.img"}]},
    {"name": "v6", "allow": ["::1"], "table": [{"kind": "linear", "device": "b.img"}]},
    {"name": "all", "table": [{"kind": "linear", "device": "c.img"}]}
  ]
}
END
start_server config.json
can() { nbdinfo --size "$1" >/dev/null 2>&1; }
v4=nbd://127.0.0.1:$port v6=nbd://[::1]:$port
can "$v4/v4" && can "$v6/v6" && can "$v4/all" && can "$v6/all" || fail "a welcome client was refused"
! can "$v4/v6" || fail "an IPv4 client got the export for ::1"
! can "$v6/v4" || fail "an IPv6 client got the export for 127.0.0.0/8"
for name in v4 v6 all; do
    can "nbd+unix:///$name?socket=$PWD/nbd.sock" || fail "a Unix client was refused $name"
done
listed() { nbdinfo --list --json "$1" | grep -o '"export-name": "[^"]*"' | cut -d'"' -f4 | xargs; }
expect_eq "$(listed "$v4")" "v4 all" "the list for an IPv4 client"
expect_eq "$(listed "$v6")" "v6 all" "the list for an IPv6 client"
stop_server
