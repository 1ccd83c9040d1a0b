#!/usr/bin/env bash
# "allow" lets only clients of these addresses use an export, and the others see the rest. Clients of
# a Unix socket have no address, and want a rule of their own.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/access.sh"
requires nbdinfo
workdir

port=$(free_port)
cat >config.json <<END
{"listen": ["tcp://127.0.0.1:$port", "tcp://[::1]:$port", "unix://$PWD/nbd.sock"], "exports": [
  $(export_for v4 '"127.0.0.0/8"'), $(export_for v6 '"::1"'), $(export_for all),
  $(export_for two '"127.0.0.2", {"address": "127.0.0.0/8", "access": "read_only"}, "unix"')
]}
END
start_server config.json
v4=nbd://127.0.0.1:$port v6=nbd://[::1]:$port unix=nbd+unix:///?socket=$PWD/nbd.sock
expect_may() { expect_eq "$(may_from "$2" "$3")" "$1" "from $2 to $3"; }
for source in 127.0.0.1 127.0.0.2; do
    expect_may read-write $source "$v4/v4"
    expect_may nothing $source "$v4/v6"
    expect_may read-write $source "$v4/all"
done
expect_may read-only 127.0.0.1 "$v4/two"
expect_may read-write 127.0.0.2 "$v4/two"
expect_may nothing ::1 "$v6/v4"
expect_may read-write ::1 "$v6/v6"
expect_may nothing ::1 "$v6/two"
listed() { nbdinfo --list --json "$1" | grep -o '"export-name": "[^"]*"' | cut -d'"' -f4 | xargs; }
expect_eq "$(listed "$v4")" 'v4 all two' 'the list for an IPv4 client'
expect_eq "$(listed "$v6")" 'v6 all' 'the list for an IPv6 client'
expect_eq "$(listed "$unix")" 'all two' 'the list for a Unix client'
stop_server
grep -F 'export "v6": denied: want what the rule of its "allow" lets in, found address 127.0.0.2, no TLS' server.log
