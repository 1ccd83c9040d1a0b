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

# At which of its calls of device-mapper and of the server a verb is worth being broken off: at those
# that change something, and at those that follow, when it has been changed; or, with `calls` set to
# "all", at each. A line for each, with the call's name and number. Carries out the verb for that.
changing='DM_TABLE_LOAD|DM_DEV_SUSPEND|DM_TABLE_CLEAR|export[.](create|attach|mark|adopt|release|detach|remove)'
calls_of() { # VERB...
    ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 \
        strace -qq -s 200 -o strace.txt -e trace=ioctl,sendto \
        "$INTERPOSECTL" --socket "$work/control.sock" "$@" >said.txt || fail "$*: $(<said.txt)"
    awk -v all="${calls:-few}" -v changing="$changing" '
        { call = $1; sub(/[(].*/, "", call); number[call]++; now = ($0 ~ changing) }
        all == "all" || now || after[call] { print call, number[call] }
        { after[call] = now }' strace.txt
}

# Kills interposectl at such a call, then does the same again, which finishes what was begun.
kill_and_finish() { # VERB CALL NUMBER
    local verb=$1 call=$2 number=$3
    [[ $(at_call "$number" "$call" signal=KILL "$verb" vol) == 137 ]] ||
        fail "$verb is not killed at $call $number: $(<said.txt)"
    eventually 30 is_at_rest vol || fail "$verb, $call $number: $(dmsetup info vol)"
    ctl "$verb" vol >said.txt 2>&1 || fail "$verb after $call $number: $(<said.txt)"
    [[ $verb == release ]] || is_over_nbd vol || fail "not interposed: $(live_table vol)"
    [[ $verb == interpose ]] || expect_eq "$(live_table vol)" "$(<before.txt)"
}

# --- fail-open -----------------------------------------------------------------------------------

guards=/run/interposed/guards/interposed.interposed-vol
guard_of_vol() { sed -n 's/^pid //p' "$guards.lock"; } # its process
is_standing_in() { grep -q '"standing in"' "$guards.json"; }
has_fallen_back() { grep -q '"fallen back"' "$guards.json"; }
# No server: the guard has led the volume back, to the table in before.txt.
expect_fallen_back() {
    eventually 90 has_fallen_back || fail "not fallen back: $(live_table vol) $(cat "$guards.log")"
    expect_eq "$(live_table vol)" "$(<before.txt)" 'table of a volume that has fallen back'
    eventually 10 is_at_rest vol || fail "not at rest: $(dmsetup info vol)"
    eventually 10 is_detached /dev/nbd0 || fail 'its device is still attached'
}
