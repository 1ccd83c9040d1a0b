#!/usr/bin/env bash
# A kernel that has made an io_uring and then takes nothing, for a moment or for good: every request
# is answered all the same.
source "$(dirname "$0")/../support/functions.sh"
source "$(dirname "$0")/../support/engines.sh"
requires strace nbdcopy
requires_python nbd
strace -f -o /dev/null true 2>/dev/null || skip 'want to be allowed to trace'
workdir
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"   # its way to find leaks is tracing too

write_engine_config
start_server config.json
(($(rings) > 0)) || skip 'want io_uring'
stop_server

serves_in_spite_of() { # ERROR WHEN
    start_through strace -D -f -qq -o trace -e trace=io_uring_enter \
        -e "inject=io_uring_enter:error=$1:when=$2"
    start_server config.json
    check_exports
    grep -q "io_uring_enter(.* = -1 $1 .*INJECTED" trace || fail "$1 was never injected"
    stop_server
}
serves_in_spite_of EBUSY 1
serves_in_spite_of ENOMEM 1+3
serves_in_spite_of EAGAIN 1..100
serves_in_spite_of EPERM 1+
