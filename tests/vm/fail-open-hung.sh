#!/usr/bin/env bash
# A server that hangs has the lease and the claim, and an old write in its socket. Its guard kills it
# before anything else; so what was written since stays, and nobody wakes up to write over it. One
# that is alive over a disk that is stuck is let alone.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/interposing.sh"
in_machine --disk 64M

put() { head -c 4096 /dev/zero | tr '\0' "$1" | dd of="$volume" bs=4096 oflag=direct status=none; }
stored() { dd if=/dev/vdc bs=512 count=1 iflag=direct status=none | head -c 1; }
start_interposer
echo '0 131072 linear /dev/vdc 0' | dmsetup create disk
at_exit dmsetup remove --force disk
volume=$(make_volume vol "/dev/mapper/disk 0 131072")
live_table vol >before.txt
ctl interpose --fail-open --fail-open-after 3 vol >/dev/null

dmsetup suspend --noflush --nolockfs disk
put W & writing=$!
eventually 60 grep -q 'but the server is alive' "$guards.log" || fail "it said: $(<"$guards.log")"
dmsetup resume disk
wait "$writing" || fail 'the write failed'
! has_ended "$server" || fail 'a server that was alive is dead'
expect_eq "$(stored)" W 'what is on the disk'

kill -STOP "$server"
put A & writing=$!
expect_fallen_back
expect_in "$(<"$guards.log")" 'its server hangs'
wait "$writing" || fail 'the write failed'
put B
kill -CONT "$server" || true
has_ended "$server" || fail 'a server that hung is there still'
expect_eq "$(stored)" B 'what is on the disk'
