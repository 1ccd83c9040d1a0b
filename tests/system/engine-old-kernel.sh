#!/usr/bin/env bash
# Kernels with less of io_uring: before 5.19 without COOP_TASKRUN, so each ring's first setup is
# refused, and one that registers nothing, so that no ring can hold the description of a claim.
source "$(dirname "$0")/../support/functions.sh"
source "$(dirname "$0")/../support/engines.sh"
requires strace nbdcopy
requires_python nbd
strace -f -o /dev/null true 2>/dev/null || skip 'want to be allowed to trace'
workdir
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"   # its way to find leaks is tracing too

write_engine_config
start_server config.json
usual=$(rings)
((usual > 0)) || skip 'want io_uring'
stop_server

serves_without() { # SYSTEM-CALL[:WHICH]...
    local refused faults=()
    for refused; do faults+=(-e "inject=$refused:error=EINVAL"); done
    start_through strace -D -f -qq -o trace -e trace=io_uring_setup,io_uring_register "${faults[@]}"
    start_server config.json
    expect_eq "$(rings)" "$usual" "io_urings without $*"
    for refused; do
        eventually 30 grep -q "${refused%%:*}(.* = -1 EINVAL .*INJECTED" trace ||
            fail "want $refused to be refused, found $(<trace)"
    done
    check_exports
    stop_server
}
serves_without io_uring_setup:when=1+2
! grep 'COOP_TASKRUN.* = [0-9]' trace || fail 'a ring with COOP_TASKRUN was made'
serves_without io_uring_register
serves_without io_uring_setup:when=1+2 io_uring_register
