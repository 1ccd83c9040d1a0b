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
# Neither suspended nor with an inactive table.
is_at_rest() { # VOLUME
    [[ $(dmsetup info --columns --noheadings --options suspended,tables_loaded "$1") == *Active:Live ]]
}

# Does something to the call of this number that interposectl makes; prints its exit status. What it
# says goes to said.txt, its calls to strace.txt.
at_call() { # NUMBER SYSTEM-CALL WHAT VERB...
    local code=0
    # The search for leaks does not work under strace.
    ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 \
        strace -qq -o strace.txt -e trace="$2" -e "inject=$2:$3:when=$1" \
        "$INTERPOSECTL" --socket "$work/control.sock" "${@:4}" >said.txt 2>&1 || code=$?
    echo "$code"
}
opposite() { if [[ $1 == interpose ]]; then echo release; else echo interpose; fi; } # VERB

lvm_quietly() { "$@" >lvm.log 2>&1 || fail "$*: $(<lvm.log)"; }
make_swap() { # FILE
    dd if=/dev/zero of="$1" bs=1M count=4 status=none
    chmod 600 "$1"
    mkswap "$1" >/dev/null
    swapon "$1"
}

# Kills interposectl at each of its calls of device-mapper and of the server in turn: the volume is
# at rest afterwards, and the same command again finishes what was begun.
killed_at_each_call() { # interpose|release
    local verb=$1 call number
    [[ $verb == interpose ]] || ctl interpose vol >/dev/null
    for call in ioctl sendto; do
        number=1
        while [[ $(at_call "$number" "$call" signal=KILL "$verb" vol) == 137 ]]; do
            eventually 30 is_at_rest vol || fail "$verb, $call $number: $(dmsetup info vol)"
            number=$((number + 1))
            ctl "$verb" vol >said.txt 2>&1 || fail "$verb after $call $number: $(<said.txt)"
            [[ $verb == release ]] || is_over_nbd vol || fail "not interposed: $(live_table vol)"
            [[ $verb == interpose ]] || expect_eq "$(live_table vol)" "$(<before.txt)"
            ctl "$(opposite "$verb")" vol >said.txt 2>&1 || fail "$(<said.txt)"
        done
        echo "$verb: killed at $((number - 1)) calls of $call"
        ((number > 4)) || fail "$verb is hardly ever killed: $(cat said.txt strace.txt)"
        ctl "$(opposite "$verb")" vol >/dev/null
    done
}
