#!/usr/bin/env bash
# Each call of device-mapper fails in turn, on the way in and on the way out: interposectl says so,
# everything is as it was before, nothing is left in the server, and the writer notices nothing.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/interposing.sh"
in_machine --disk 64M

start_interposer
volume=$(make_volume vol "/dev/vdc 0 131072")
make_filesystem ext4 "$volume" mnt
start_writer mnt/file
before=$(live_table vol)
attachments() { of "len(r['attachments'])" attached; }

for verb in interpose release; do
    failed=0 number=1
    while ((number < 20)); do
        code=$(at_call "$number" ioctl error=EIO "$verb" vol)
        grep -q INJECTED strace.txt || break
        is_at_rest vol || fail "$verb, call $number: $(dmsetup info vol)"
        [[ $code != 0 ]] || ctl "$(opposite "$verb")" vol >/dev/null # it was no matter
        if [[ $code != 0 ]]; then
            failed=$((failed + 1))
            expect_in "$(<said.txt)" 'interposectl: '
        fi
        if [[ $verb == interpose ]]; then
            expect_eq "$(live_table vol) $(attachments)" "$before 0"
        else
            is_over_nbd vol || fail "release, call $number: $(live_table vol) $(<said.txt)"
            ctl interposed >said.txt || fail "release, call $number: $(<said.txt)"
        fi
        number=$((number + 1))
    done
    echo "$verb: failed at $failed of $((number - 1)) calls"
    ((failed > 2)) || fail "$verb hardly ever fails: $(cat said.txt strace.txt)"
    [[ $verb == release ]] || is_over_nbd vol || ctl interpose vol
done
writers_go_on 20
stop_writers
