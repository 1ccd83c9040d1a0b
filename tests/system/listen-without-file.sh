#!/usr/bin/env bash
# --listen URI DEVICE... serves the devices, one after the other, as one volume; its options say the
# rest.
source "$(dirname "$0")/../support/functions.sh"
requires nbdinfo nbdcopy
workdir

head -c 100001 /dev/urandom >a.img
head -c 99999 /dev/urandom >b.img
start_server --listen "unix://$PWD/nbd.sock" a.img b.img
nbdcopy "nbd+unix:///?socket=$PWD/nbd.sock" copy.img
cmp copy.img <(cat a.img b.img)
stop_server

start_server --export "two halves" --description "of one" --read-only --shared --cache buffered \
    --listen "unix://$PWD/nbd.sock" b.img a.img
nbdinfo --json "nbd+unix:///two%20halves?socket=$PWD/nbd.sock" >info.json
grep -q '"description": "of one"' info.json || fail "$(cat info.json)"
nbdinfo --is read-only "nbd+unix:///two%20halves?socket=$PWD/nbd.sock"
nbdcopy "nbd+unix:///two%20halves?socket=$PWD/nbd.sock" copy.img
cmp copy.img <(cat b.img a.img)
stop_server
