#!/usr/bin/env bash
# interposectl is killed at each of its calls of device-mapper and of the server in turn, on the way
# in and on the way out: the volume is never left suspended or with a table that waits, its writer
# notices nothing, and the same command again finishes what was begun.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/interposing.sh"
in_machine --disk 64M --limit 900

start_interposer
volume=$(make_volume vol "/dev/vdc 0 131072")
make_filesystem ext4 "$volume" mnt
start_writer mnt/file
before=$(live_table vol)

for verb in interpose release; do
    for call in ioctl sendto; do
        number=1
        while [[ $(at_call "$number" "$call" signal=KILL "$verb" vol) == 137 ]]; do
            eventually 30 is_at_rest vol || fail "$verb, $call $number: $(dmsetup info vol)"
            number=$((number + 1))
            ctl "$verb" vol >said.txt 2>&1 || fail "$verb after $call $number: $(<said.txt)"
            [[ $verb == release ]] || is_over_nbd vol || fail "not interposed: $(live_table vol)"
            [[ $verb == interpose ]] || expect_eq "$(live_table vol)" "$before"
            ctl "$(opposite "$verb")" vol >said.txt 2>&1 || fail "$(<said.txt)"
        done
        echo "$verb: killed at $((number - 1)) calls of $call"
        ((number > 4)) || fail "$verb is hardly ever killed: $(cat said.txt strace.txt)"
        ctl "$(opposite "$verb")" vol >/dev/null
    done
    ctl "$verb" vol >/dev/null
done
writers_go_on 20
stop_writers
