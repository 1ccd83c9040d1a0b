# shellcheck shell=bash
# What the tests of claims share, on top of functions.sh.

# Makes a file of zeroes and prints a new loop device over it.
new_loop() { # NAME SIZE
    truncate --size "$2" "$1"
    loop_on "$1"
}

# Makes a partition without a partition table, and prints its node.
add_partition() { # DISK NUMBER START-SECTOR SECTORS
    addpart "$1" "$2" "$3" "$4" >&2 || fail 'no partitions on loop devices here'
    # The kernel may need a moment to let go of what a server that has just ended had claimed.
    at_exit eventually 30 delpart "$1" "$2"
    echo "$1p$2"
}

mount_at() { # DEVICE DIRECTORY
    mkdir -p "$2"
    mount "$1" "$2"
}

# Whether an exclusive open of the block device is granted to us, as to any other program.
is_free() { # DEVICE
    local code=0
    /usr/bin/python3 - "$1" <<'END' || code=$?
import errno, os, sys
try:
    os.close(os.open(sys.argv[1], os.O_RDONLY | os.O_EXCL))
except OSError as refused:
    sys.exit(10 if refused.errno == errno.EBUSY else 1)
END
    ((code == 0 || code == 10)) || fail "cannot open $1"
    return "$code"
}

has_writes_in_flight() { # LOOP-DEVICE
    local reads writes
    read -r reads writes <"/sys/block/${1#/dev/}/inflight"
    ((reads >= 0 && writes > 0))
}

# Writes NAME.json, which listens on NAME.sock. Each export is one argument: its name, its claim,
# whether it is read-only, its device, and more keys of its one segment.
write_config() { # NAME "EXPORT CLAIM READ-ONLY DEVICE [MORE]"...
    local one vol claim read_only device more separator=''
    {
        printf '{"listen": ["unix://%s"], "exports": [' "$PWD/$1.sock"
        for one in "${@:2}"; do
            read -r vol claim read_only device more <<<"$one"
            printf '%s\n{"name": "%s", "claim": "%s", "read_only": %s, "table": [' \
                "$separator" "$vol" "$claim" "$read_only"
            printf '{"kind": "linear", "device": "%s"%s}]}' "$device" "${more:+, $more}"
            separator=,
        done
        printf ']}\n'
    } >"$1.json"
}

serve() { # NAME "EXPORT CLAIM READ-ONLY DEVICE [MORE]"...
    write_config "$@"
    start_server "$1.json"
}

# Starts a server that must refuse its configuration, and prints what it says.
refused() { # NAME "EXPORT CLAIM READ-ONLY DEVICE [MORE]"...
    local code=0
    write_config "$@"
    timeout 100 "$INTERPOSED" "$1.json" 2>refused.log || code=$?
    expect_eq "$code" 1 "exit status ($(<refused.log))"
    ! grep -qx ready refused.log || fail 'it served before it refused'
    cat refused.log
}

uri() { # NAME [EXPORT]
    echo "nbd+unix:///${2-vol}?socket=$PWD/$1.sock"
}
