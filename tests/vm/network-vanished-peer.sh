#!/usr/bin/env bash
# A peer that vanishes without a word, because of its cable or somewhere on the way, over IPv4 and IPv6,
# while it does nothing, has replies to come or half of a WRITE sent: limits.keepalive_s later it is
# given up, and the only place of its export and all of the memory are there for the next client.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/network.sh"
in_machine

make_there 0
truncate -s 64M vol.img
head -c 32M /dev/urandom >data.img
listen_too='"tcp://198.18.0.1", "tcp://[fd18:0::1]"' serve_exports \
    "$(volume vol "$(linear "$work/vol.img")" '"max_connections": 1')" \
    '"limits": {"keepalive_s": 3, "memory": "64MiB"}'
is_empty() { eventually 60 has_connections vol 0 || fail "$*: it is still there"; }
write_at_once() { nbdcopy --connections=1 --requests=1 --request-size=33554432 data.img "$(uri)"; }

while read -r address doing vanishes; do
    there /usr/bin/python3 "$tests/support/vanishing_client.py" "nbd://$address/vol" "$doing" >there.txt 2>&1 &
    client=$!
    at_exit kill_hard "$client"
    eventually 60 grep -q there there.txt || fail "the client does not come in: $(<there.txt)"
    expect_eq "$(status_of vol connections)" 1
    "$vanishes" 0
    is_empty "$address, $doing, $vanishes"
    write_at_once
    cmp -n $((32 << 20)) data.img vol.img
    is_empty 'the next client'
    kill_hard "$client"
    mend 0
done <<'END'
198.18.0.1 nothing pull_the_plug
198.18.0.1 reads lose_everything
198.18.0.1 writes lose_everything
[fd18:0::1] nothing lose_everything
[fd18:0::1] reads pull_the_plug
[fd18:0::1] writes pull_the_plug
END
stop_server
