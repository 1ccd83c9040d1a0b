# shellcheck shell=bash
# What the tests share that put the server into the path of a device-mapper volume, on top of vm.sh.

# A server with a state_dir and one export that nobody uses.
start_interposer() {
    modprobe --all nbd dm-mod
    truncate --size 1M plain.img
    write_exports "$(volume plain "$(linear "$work/plain.img")")" \
        "\"state_dir\": \"$work/state\""
    mkdir -p state
    start_server config.json
}

# A volume over these areas, one after the other: its node.
make_volume() { # NAME "DEVICE START SECTORS"...
    local name=$1 at=0 area device start sectors
    shift
    for area; do
        read -r device start sectors <<<"$area"
        echo "$at $sectors linear $device $start"
        at=$((at + sectors))
    done | dmsetup create "$name" >&2 || fail "no volume $name"
    at_exit dmsetup remove --force "$name"
    echo "/dev/mapper/$name"
}

live_table() { dmsetup table "$1"; } # VOLUME
is_over_nbd() { live_table "$1" | grep -qE '^0 [0-9]+ linear 43:[0-9]+ 0$'; }
sectors() { blockdev --getsz "$1"; }
