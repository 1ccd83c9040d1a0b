#!/usr/bin/env bash
# Requests of odd sizes at odd places, over one border and over several, as qemu-io makes them.
source "$(dirname "$0")/../support/functions.sh"
requires qemu-io
workdir

for file in a b c d; do truncate -s 100001 "$file.img"; done
start_server --listen "unix://$PWD/nbd.sock" a.img b.img c.img d.img
uri="nbd+unix:///?socket=$PWD/nbd.sock"

qemu-io -f raw "$uri" >log.txt 2>&1 <<'END'
write -P 0x11 0 400004
write -P 0x22 1 1
write -P 0x33 100000 2
write -P 0x44 99999 200004
write -P 0x55 400003 1
write -z 150000 100
read -P 0x11 0 1
read -P 0x22 1 1
read -P 0x11 2 99997
read -P 0x44 99999 50001
read -P 0x00 150000 100
read -P 0x44 150100 149903
read -P 0x11 300003 100000
read -P 0x55 400003 1
flush
END
! grep -iE 'fail|error|pattern verification' log.txt || fail "$(cat log.txt)"
expect_eq "$(grep -cE 'read [0-9]+/[0-9]+ bytes' log.txt)" 8 "reads that were answered"
stop_server

expect_eq "$(cat a.img b.img c.img d.img | tr -d '\021' | wc -c)" $((1 + 200004 + 1)) "changed bytes"
