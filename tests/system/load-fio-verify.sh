#!/usr/bin/env bash
# fio writes random blocks of many sizes at some depth, reads each back and verifies it.
source "$(dirname "$0")/../support/functions.sh"
requires fio
fio --enghelp | grep -qw nbd || { echo "skipped: want fio's nbd engine"; exit 77; }
workdir

truncate -s 24M a.img
truncate -s 40M b.img
start_server --listen "unix://$PWD/nbd.sock" a.img b.img

fio --output=fio.txt --name=verify --ioengine=nbd --uri="nbd+unix:///?socket=$PWD/nbd.sock" \
    --size=64M --rw=randrw --bsrange=512-256k --bs_unaligned=1 --iodepth=32 --randseed=20 \
    --verify=crc32c --verify_fatal=1 --do_verify=1 || fail "$(cat fio.txt)"
grep -q 'err= 0' fio.txt || fail "$(cat fio.txt)"
stop_server
