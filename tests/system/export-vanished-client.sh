#!/usr/bin/env bash
# A client whose host vanishes without a word, in the middle of nothing or while a reply is sent to
# it, is given up after limits.keepalive_s: then its place is free. One that is only idle stays.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires ip
requires_python nbd
workdir

host=gone$$
ip netns add "$host" 2>/dev/null || skip 'want network namespaces'
at_exit ip netns delete "$host"
ip link add "v$$" type veth peer name "w$$" netns "$host" || skip 'want veth'
at_exit ip link delete "v$$"
ip address add 198.18.0.1/30 dev "v$$"
ip link set "v$$" up
ip -n "$host" address add 198.18.0.2/30 dev "w$$"
ip -n "$host" link set "w$$" up
head -c 64M /dev/urandom >vol.img
truncate -s 1M idle.img
port=$(free_port)
listen_too="\"tcp://198.18.0.1:$port\", \"tcp://127.0.0.1:$port\"" serve_exports \
    "$(volume vol "$(linear "$work/vol.img")" '"max_connections": 1'), $(volume idle "$(linear "$work/idle.img")")" \
    '"limits": {"keepalive_s": 2}'
/usr/bin/python3 "$tests/support/idle_client.py" "nbd://127.0.0.1:$port/idle" 0 >idle &
at_exit kill_hard "$!"
eventually 30 test -s idle || fail 'the idle client does not come in'
for requests in 0 60; do
    ip -n "$host" link set "w$$" up
    ip netns exec "$host" /usr/bin/python3 "$tests/support/idle_client.py" "nbd://198.18.0.1:$port/vol" "$requests" >there &
    at_exit kill_hard "$!"
    eventually 30 test -s there || fail 'the client does not come in'
    expect_eq "$(status_of vol connections)" 1
    ip -n "$host" link set "w$$" down
    eventually 60 has_connections vol 0 || fail 'the client that vanished is still there'
    rm there
done
expect_eq "$(status_of idle connections)" 1
stop_server
