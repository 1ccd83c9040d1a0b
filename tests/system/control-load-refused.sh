#!/usr/bin/env bash
# A table that is wrong, or whose devices cannot be had, is refused with its place or the holder's
# name, and leaves nothing behind: no claim, no record, no descriptor. A client goes on meanwhile.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/claims.sh"
source "$tests/support/control.sh"
requires qemu-nbd
requires_python nbd
requires_loop_devices
workdir

truncate -s 8M vol.img other.img taken.img free.img
disk=$(new_loop disk.img 8M)
readonly=$(loop_on free.img --read-only)
serve_exports "$(volume vol "$(linear "$work/vol.img")"),
    $(volume other "$(linear "$work/other.img")")" '"state_dir": "state"'
hold_file taken.img
start_load 8 "$(uri)"
remember
refused_load() { # TEXT TABLE
    echo "$2" >bad.json
    expect_no_trace "$1" load vol bad.json
    is_free "$disk" || fail "$2: it has left a claim"
    is_free_file free.img || fail "$2: it has left a lock"
}
ok="$(linear free.img 0 1024), $(linear "$disk" 0 1024)"
refused_load 'absent.img' "[$ok, $(linear absent.img)]"
refused_load "held by qemu-nbd (pid $holder)" "[$ok, $(linear taken.img)]"
refused_load 'overlaps device' "[$ok, $(linear other.img)]"
refused_load 'want a multiple of 512' "[$ok, {\"kind\": \"linear\", \"device\": \"$disk\", \"offset\": \"4MiB\", \"length\": 1000}]"
refused_load 'want a writable device' "[$ok, $(linear "$readonly")]"
refused_load 'too small' "[$ok, $(linear free.img 1024 16384)]"
refused_load 'no export may write to the same bytes twice' "[$ok, $(linear free.img 1023 9)]"
refused_load 'bad.json:2:12: ' "$(printf '{"table": [\n  {"kind": 3, "device": "free.img"}]}')"
refused_load 'bad.json:2:1: ' '{"table": ['
refused_load 'bad.json:2:' "$(printf '0 8 linear free.img 0\n8 x linear free.img 0\n')"
refused_load 'bad.json:2:' "$(printf '0 8 linear free.img 0\n9 8 linear free.img 8\n')"
refused_load 'bad.json:1:' '0 8 striped 2 8 free.img 0 vol.img 0'
stop_load
stop_server
