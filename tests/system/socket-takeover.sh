#!/usr/bin/env bash
# A Unix socket that a killed server has left is taken over; a live server's is not stolen, and
# what is no socket is not removed.
source "$(dirname "$0")/../support/functions.sh"
requires nbdinfo
workdir

truncate -s 1M a.img
truncate -s 2M b.img
uri="nbd+unix:///?socket=$PWD/nbd.sock"
refused() {
    if "$INTERPOSED" --listen "unix://$PWD/$1" b.img 2>log.txt; then fail "$1 was taken"; fi
    grep -q "$1" log.txt || fail "$(cat log.txt)"
}
start_server --listen "unix://$PWD/nbd.sock" a.img
refused nbd.sock
expect_eq "$(nbdinfo --size "$uri")" $((1 << 20)) "size by the live server"
kill_server
[[ -S nbd.sock ]] || fail "want a stale socket for this test"

start_server --listen "unix://$PWD/nbd.sock" b.img
expect_eq "$(nbdinfo --size "$uri")" $((2 << 20)) "size by the new server"
stop_server

echo precious >file.txt
refused file.txt
expect_eq "$(cat file.txt)" precious "the file"
