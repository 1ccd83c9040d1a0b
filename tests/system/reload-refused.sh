#!/usr/bin/env bash
# A reload takes effect as a whole or not at all: with one thing in it that is wrong or cannot be
# had, by verb or by signal, everything else stays as it is too, and the message says what it was.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/claims.sh"
source "$tests/support/control.sh"
source "$tests/support/reloads.sh"
requires qemu-nbd
requires_python nbd
requires_loop_devices
workdir

serve_vol
truncate -s 8M taken.img
hold_file taken.img
write_with "$vol, $(volume bad "$(linear "$work/taken.img")")" "$state"
refused_reload "held by qemu-nbd (pid $holder)"
write_with "$vol, $(volume bad "$(linear "$work/absent.img")")" "$state"
refused_reload 'absent.img'
write_with "$vol, $(volume vol "$(linear "$work/taken.img")")" "$state"
refused_reload 'exports[3].name: want another name'
write_with "$vol, $(volume other "$(linear "$work/vol.img" 8 8)")" "$state"
refused_reload 'overlaps'
write_with "$vol, {" "$state"
refused_reload 'config.json:'
listen="\"unix://$work/absent/2.sock\"" write_with "$vol" "$state"
refused_reload 'absent/2.sock'
listen="\"tcp://192.0.2.1:$port\"" write_with "$vol" "$state"
refused_reload '192.0.2.1'
rm config.json
refused_reload 'config.json'
accepted_reload
