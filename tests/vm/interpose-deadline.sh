#!/usr/bin/env bash
# What is in flight takes longer than interposectl may hold I/O: it gives up, and the volume goes on
# with its table from before. So it does if interposectl is killed while the kernel waits.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/interposing.sh"
in_machine --disk 64M
start_interposer
modprobe dm-delay
# Reads at once, writes after ten minutes, or when it is suspended.
dmsetup create slow --table "0 131072 delay /dev/vdc 0 0 /dev/vdc 0 600000"
at_exit dmsetup remove --force slow
volume=$(make_volume vol "/dev/mapper/slow 0 131072")
before=$(live_table vol)
write_one() {
    dd if=/dev/urandom of=data bs=4096 count=1 status=none
    dd if=data of="$volume" bs=4096 count=1 oflag=direct status=none &
    writing=$!
    eventually 30 has_write_in_flight
}
has_write_in_flight() { [[ $(awk '{ print $2 }' /sys/block/dm-1/inflight) == 1 ]]; }
as_before() { is_at_rest vol && [[ $(live_table vol) == "$before" ]]; }
finish_write() {
    eventually 60 as_before || fail "not as before: $(dmsetup info vol; live_table vol)"
    has_write_in_flight || fail 'the write was over before'
    dmsetup suspend --nolockfs slow && dmsetup resume slow
    wait "$writing" || fail 'the write failed'
    cmp -n 4096 data "$volume" || fail 'the write is lost'
}
waits_in_kernel() { grep -q dm_ "/proc/$1/wchan"; } # PID

write_one
expect_ctl 1 'want it to finish what is in flight within 2 s' interpose --timeout 2 vol
finish_write
expect_eq "$(of "len(r['attachments'])" attached)" 0
write_one
"$INTERPOSECTL" --socket "$work/control.sock" interpose vol >killed.txt 2>&1 &
eventually 60 waits_in_kernel "$!" || fail "it does not wait: $(<killed.txt)"
kill_hard "$!"
finish_write
expect_ctl 0 'interposed, as' interpose vol && expect_ctl 0 'released' release vol
