# shellcheck shell=bash
# What the tests of tests/vm share: a test is one file that is run twice, first on the host and then,
# from `in_machine` on, in a virtual machine. What is defined before it is there in both. See
# tests/vm/README.md. Sources functions.sh and control.sh.
source "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
source "$tests/support/control.sh"

# On the host: enters a work directory, calls `on_host` if there is such a function, runs this test in
# the machine, calls `on_host_afterwards` if there is one, and ends as the test did. `machine_options`
# may be added to by on_host. In the machine: enters a work directory.
machine_options=()
in_machine() { # OPTION-OF-MACHINE...
    if [[ ${in_guest:-} == yes ]]; then
        trap 'printf "line %s: failed: %s\n" "$LINENO" "$BASH_COMMAND" >&2' ERR
        workdir
        return 0
    fi
    requires qemu-system-x86_64 mke2fs dpkg-deb
    workdir
    local code=0 script
    script=$tests/vm/$(basename "$0")
    ! declare -F on_host >/dev/null || on_host
    "$tests/vm/machine" "$@" ${machine_options[@]+"${machine_options[@]}"} "$script" &
    at_exit end_machine $!
    wait $! || code=$?
    ((code == 0)) || [[ ! -s server.log ]] || sed 's/^/server: /' server.log
    ! declare -F on_host_afterwards >/dev/null || ((code != 0)) || on_host_afterwards
    exit "$code"
}
end_machine() { kill -TERM "$1" && eventually 30 has_ended "$1"; } # PID

# --- the kernel's client -------------------------------------------------------------------------

# Attaches; `nbd-client -d` at the end, if it is still attached then.
attach() { # DEVICE NBD-CLIENT-ARGUMENT...
    modprobe nbd
    nbd-client "${@:2}" "$1" >attach.log 2>&1 || fail "nbd-client: $(<attach.log)"
    at_exit nbd-client -d "$1"
    eventually 30 is_attached "$1" || fail "not attached: $(<attach.log)"
}
is_attached() { nbd-client -check "$1" >/dev/null && (($(blockdev --getsize64 "$1") > 0)); } # DEVICE
is_detached() { ! nbd-client -check "$1" >/dev/null; }

detach() { # DEVICE...
    local device
    for device; do
        nbd-client -d "$device" >/dev/null
        eventually 30 is_detached "$device" || fail "$device is still attached"
    done
}

queue() { echo "$(<"/sys/block/${1#/dev/}/queue/$2")"; } # DEVICE ATTRIBUTE

# --- filesystems ---------------------------------------------------------------------------------

make_filesystem() { # ext4|xfs DEVICE MOUNT-POINT
    "mkfs.$1" -q "$2" >mkfs.log 2>&1 || fail "mkfs.$1: $(<mkfs.log)"
    mkdir -p "$3"
    mount -t "$1" "$2" "$3"
}

expect_clean() { # ext4|xfs DEVICE
    local check=(e2fsck -fn)
    [[ $1 != xfs ]] || check=(xfs_repair -n)
    "${check[@]}" "$2" >fsck.log 2>&1 || fail "$1 on $2 is damaged: $(<fsck.log)"
}

# --- writers that verify -------------------------------------------------------------------------

# Starts a verified_writer.py and waits until it is well under way. The first one is number 0.
writers=()
start_writer() { # OPTION-OF-VERIFIED-WRITER... PATH
    local number=${#writers[@]}
    rm -f "count-$number" # of one before it
    /usr/bin/python3 "$tests/support/verified_writer.py" --seed "$number" --count "count-$number" \
        --stalls 1000 "$@" >"writer-$number.json" 2>"writer-$number.log" &
    writers+=($!)
    at_exit kill_hard "$!"
    eventually 60 grep -q working "writer-$number.log" ||
        fail "writer $number does not work: $(<"writer-$number.log")"
}

# Waits until each of the writers has done so many requests more than now.
has_done() { (($(<"count-$1") >= $2)); } # WRITER REQUESTS
writers_go_on() { # REQUESTS
    local number wanted=()
    for number in "${!writers[@]}"; do wanted+=($(($(<"count-$number") + $1))); done
    for number in "${!writers[@]}"; do
        eventually 120 has_done "$number" "${wanted[number]}" || fail "writer $number is stuck"
    done
}

# Ends all of them; they must have noticed nothing. What each has to say stays in writer-N.json.
stop_writers() {
    local number
    kill -TERM "${writers[@]}"
    for number in "${!writers[@]}"; do
        eventually 120 has_ended "${writers[number]}" || fail "writer $number does not stop"
        wait "${writers[number]}" ||
            fail "writer $number noticed: $(<"writer-$number.json") $(head -n 20 "writer-$number.log")"
        echo "writer $number: $(<"writer-$number.json")"
    done
    writers=()
}
