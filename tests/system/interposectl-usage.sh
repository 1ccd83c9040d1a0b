#!/usr/bin/env bash
# Without a server interposectl says why with exit status 3, and a command line that is wrong is 2.
source "$(dirname "$0")/../support/functions.sh"
workdir
ctl=$(dirname "$INTERPOSED")/interposectl/interposectl
export INTERPOSED_CONTROL=$PWD/control.sock

"$ctl" --version | grep -qE '^interposectl [0-9]+\.[0-9]+\.[0-9]+$' || fail "--version"
fails() { # STATUS TEXT ARGUMENT...
    local code=0 wanted=$1 text=$2
    shift 2
    timeout 100 "$ctl" "$@" >out.txt 2>err.txt </dev/null || code=$?
    expect_eq "$code" "$wanted" "exit status of: $*"
    [[ ! -s out.txt ]] || fail "want nothing on standard output for: $*"
    expect_in "$(cat err.txt)" "interposectl: "
    expect_in "$(cat err.txt)" "$text"
}
fails 2 'want a verb'
fails 2 'did you mean "status"' stauts
fails 2 'did you mean "inactive"' table --inactve vol0
fails 2 'want EXPORT FILE' load vol0
fails 2 'want a size' resize vol0 big
fails 1 'absent.json: No such file' load vol0 absent.json
fails 3 'no such socket' ls
mkfifo fifo
fails 3 'no stream socket' ls --socket fifo
/usr/bin/python3 -c 'import socket
socket.socket(socket.AF_UNIX).bind("control.sock")'
fails 3 'nobody listens there' wait any
truncate -s 1M a.img
start_server --listen "unix://$PWD/nbd.sock" a.img
fails 3 'speaks another protocol' ls --socket nbd.sock

code=0
"$ctl" --json ls >out.txt 2>err.txt || code=$?
expect_eq "$code" 3 "exit status of: --json ls"
[[ ! -s err.txt ]] || fail "want errors on standard output with --json"
expect_in "$(cat out.txt)" '"kind":"unreachable"'
