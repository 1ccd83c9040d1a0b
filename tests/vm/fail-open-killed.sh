#!/usr/bin/env bash
# A guard is killed on the way back, at any of what it does: the next one finishes it, and the writer
# notices nothing. CALLS=all kills it at more of its calls.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/interposing.sh"
on_host() { machine_options+=(--set "calls=${CALLS:-few}"); }
in_machine --disk 64M

# The first rename says that it stands in, the last that it is done; a stand-in has a socket pair, and
# so has what watches over the swap; a timer limits the very call that swaps.
points='rename:1 timer_create:1 timer_delete:1'
[[ $calls != all ]] || points='rename:1 socketpair:1 clone:1 sendmsg:3 clone:2 socketpair:2 clone:3
    timer_create:1 timer_delete:1 sendmsg:5 rename:2'
start_interposer
volume=$(make_volume vol "/dev/vdc 0 131072")
live_table vol >before.txt
make_filesystem ext4 "$volume" mnt
start_writer mnt/file
guard_at() { # CALL:NUMBER
    ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 strace -qq -o strace.txt \
        -e "trace=${1%:*}" -e "inject=${1%:*}:signal=KILL:when=${1#*:}" \
        "$INTERPOSECTL" guard vol 2>traced.log &
    traced=$!
}
for point in $points; do
    ctl interpose --fail-open --fail-open-after 1 vol >/dev/null
    first=$(guard_of_vol)
    guard_at "$point"
    kill_hard "$first"
    is_another() { [[ $(guard_of_vol) != "$first" ]]; }
    eventually 30 is_another || fail "no other guard: $(<traced.log)"
    kill_server
    eventually 60 has_ended "$traced" || fail "$point: not killed: $(<traced.log)"
    ! has_fallen_back || fail "$point: killed too late"
    "$INTERPOSECTL" guard vol 2>"$guards.log"
    expect_fallen_back
    writers_go_on 10
    start_server config.json
done
stop_writers
