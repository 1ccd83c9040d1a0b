# shellcheck shell=bash
# What the system tests share. A test sources this first, says what it `requires`, and enters its
# `workdir`. Whatever it starts, mounts or attaches through these functions, and every mount below
# the work directory, is undone when it ends. INTERPOSED is the server under test.
set -eu # no pipefail: "... | head" and "... | grep -q" end their producers early
unset JOURNAL_STREAM # no journal prefixes in the server's messages
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
: "$tests"

fail() { # MESSAGE
    printf 'FAIL: %s\n' "$*" >&2
    [[ ! -s server.log ]] || sed 's/^/server: /' server.log >&2
    exit 1
}

skip() { # WHY
    printf 'skipped: %s\n' "$*"
    exit 77
}

requires() { # PROGRAM...
    local program
    for program; do command -v "$program" >/dev/null || skip "want $program"; done
}

requires_python() { # MODULE
    /usr/bin/python3 -c "import $1" 2>/dev/null || skip "want $1 for /usr/bin/python3"
}

requires_loop_devices() {
    ((EUID == 0)) || skip 'want root'
    flock /dev/loop-control losetup --find >/dev/null 2>&1 || skip 'no loop devices here'
}

expect_eq() { # FOUND WANTED [WHAT]
    [[ $1 == "$2" ]] || fail "${3:-value}: want \"$2\", found \"$1\""
}

expect_in() { # WHOLE TEXT
    [[ $1 == *"$2"* ]] || fail "want \"$2\" in it, found \"$1\""
}

# Tries the command until it succeeds, at most so long. No sleep proves anything by itself.
eventually() { # SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS <= end)) || return 1
        sleep 0.02
    done
}

# --- the work directory, and what is undone at the end ------------------------------------------

workdir() {
    [[ -x ${INTERPOSED:-} ]] || fail 'want the server in the environment as INTERPOSED'
    INTERPOSED=$(realpath "$INTERPOSED")
    work=$(mktemp -d)
    : >"$work.undo"
    trap undo_all EXIT
    trap 'exit 1' INT TERM HUP
    cd "$work"
}

# Last thing first. Kept in a file, so that functions called in $(...) can add to it too.
at_exit() { # COMMAND...
    printf '%q ' "$@" >>"$work.undo"
    echo >>"$work.undo"
}

mounts_below_work() { # FINDMNT-OPTION...
    findmnt --raw --noheadings --output TARGET "$@" | grep "^$work/" | sort --reverse
}

undo_all() {
    local line target
    set +e
    cd /
    mounts_below_work --types ext4,xfs | while read -r target; do
        fsfreeze --unfreeze "$(printf '%b' "$target")"
    done 2>/dev/null
    tac "$work.undo" | while read -r line; do eval "$line"; done >/dev/null 2>&1
    jobs -p | xargs --no-run-if-empty kill -KILL 2>/dev/null
    mounts_below_work | while read -r target; do
        eventually 30 umount "$(printf '%b' "$target")"
    done 2>/dev/null
    rm -rf --one-file-system "$work" "$work.undo"
}

has_ended() { # PID
    local state
    state=$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat" 2>/dev/null) || return 0
    [[ -z $state || $state == [ZX] ]]
}

kill_hard() { # PID
    kill -KILL "$1" 2>/dev/null && eventually 30 has_ended "$1"
}

# --- the server ---------------------------------------------------------------------------------

is_ready() { has_ended "$server" || grep -qx ready server.log; }

# Starts the server and waits until it serves. `server` is its process; it logs to server.log.
start_server() { # CONFIG | OPTION... DEVICE...
    : >server.log
    "$INTERPOSED" "$@" 2>server.log &
    server=$!
    at_exit kill_hard "$server"
    eventually 30 is_ready || fail 'the server is not ready in time'
    grep -qx ready server.log || fail 'the server has ended'
}

# Waits for a server that was told to stop.
expect_stopped() {
    local code=0
    eventually 30 has_ended "$server" || fail 'the server does not stop'
    wait "$server" || code=$?
    expect_eq "$code" 0 'exit status of the server'
}

stop_server() {
    kill -TERM "$server"
    expect_stopped
}

kill_server() {
    kill_hard "$server" || fail 'the server does not die'
    wait "$server" 2>/dev/null || true
}

# Runs Python with raw_client and the conformance suite's modules.
raw_python() { # SCRIPT|- [ARGUMENT...]
    PYTHONPATH=$tests/support PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$@"
}

# --- devices and ports --------------------------------------------------------------------------

# Makes a loop device over the file: prints it, and leaves it in `loop`. Whoever else wants one at this
# moment waits (also in tests/support/loop_device.hpp), instead of opening the one that is ours now.
loop_on() { # FILE [LOSETUP-OPTION...]
    requires_loop_devices
    loop=$(flock /dev/loop-control losetup --find --show "${@:2}" "$1") || fail "no loop device for $1"
    at_exit losetup --detach "$loop"
    # A test that was killed may have left partitions on it, and they survive detaching.
    partx --delete "$loop" 2>/dev/null || true
    echo "$loop"
}

# Serves NAME.img as the file NAME/nbd, through a write-back cache that lose_caches loses. `caches`
# are the processes that have them.
caches=()
lossy_file() { # NAME
    mkdir "$1"
    nbdkit --foreground --exit-with-parent --unix "$PWD/$1.lossy" --filter=cache file "$1.img" \
        cache=writeback &
    caches+=($!)
    at_exit kill_hard "$!"
    eventually 30 test -S "$1.lossy" || fail "no cache for $1.img"
    nbdfuse "$1" "nbd+unix:///?socket=$PWD/$1.lossy" &
    at_exit kill_hard "$!"
    at_exit fusermount3 -u -z "$PWD/$1"
    eventually 30 test -e "$1/nbd" || fail "no file over $1.img"
}

lose_caches() {
    local cache
    for cache in "${caches[@]}"; do kill_hard "$cache"; done
    wait "${caches[@]}" 2>/dev/null || true
    caches=()
}

# A port of 127.0.0.1 that nobody has, and the kernel gives to no client of its own accord.
free_port() {
    /usr/bin/python3 -c 'import random, socket
while True:
    port = random.randrange(10000, 32768)
    try: socket.socket().bind(("127.0.0.1", port))
    except OSError: continue
    print(port)
    break'
}
