#!/usr/bin/env bash
# IPv4, IPv6 and a Unix socket at once lead to the same export; "ready" means that all are bound.
source "$(dirname "$0")/../support/functions.sh"
requires nbdinfo qemu-io
workdir

truncate -s 1M a.img
port=$(free_port)
start_server --listen "tcp://127.0.0.1:$port" --listen "tcp://[::1]:$port" \
    --listen "unix://$PWD/nbd.sock" a.img
uris=("nbd://127.0.0.1:$port" "nbd://[::1]:$port" "nbd+unix:///?socket=$PWD/nbd.sock")
for uri in "${uris[@]}"; do expect_eq "$(nbdinfo --size "$uri")" $((1 << 20)) "size by $uri"; done
qemu-io -f raw -c 'write -P 7 0 4096' "${uris[0]}"
for uri in "${uris[@]}"; do qemu-io -f raw -c 'read -P 7 0 4096' "$uri"; done | tee log.txt
! grep -q 'verification failed' log.txt
stop_server

# An address that is taken is an error that names it, and then nothing is served at all.
start_server --listen "tcp://127.0.0.1:$port" a.img
truncate -s 1M b.img
if "$INTERPOSED" --listen "unix://$PWD/b.sock" --listen "tcp://127.0.0.1:$port" b.img 2>log.txt; then
    fail "a taken address was accepted"
fi
grep -q "127.0.0.1:$port" log.txt || fail "$(cat log.txt)"
[[ ! -e b.sock ]] || fail "the Unix socket was left behind"
stop_server
