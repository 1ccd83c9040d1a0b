#!/usr/bin/env bash
# When fsync() or a write with FUA has returned, what was written has reached the disk below, and a
# flush after it, or it was FUA there: by the log that dm-log-writes keeps of what the disk was told.
# It is so by four connections, too, where the flush may be on another one than the writes.
source "$(dirname "$0")/../support/vm.sh"
in_machine --disk 64M --disk 64M

sectors=$(blockdev --getsz /dev/vdc)
dmsetup create below --table "0 $sectors log-writes /dev/vdc /dev/vdd"
at_exit dmsetup remove below
start_server --listen "unix://$work/nbd.sock" /dev/mapper/below
words=0
# Writes a word to a block of its own, and marks the log when it was said to be safe.
write_word() { # DD-OPTION...
    words=$((words + 1))
    printf '%-4096s' "word$words" |
        dd of=/dev/nbd0 bs=4096 seek=$((words * 3)) iflag=fullblock conv=notrunc status=none "$@"
    dmsetup message below 0 mark "word$words@$((words * 3 * 8))"
}
for connections in 1 4; do
    attach /dev/nbd0 -unix "$work/nbd.sock" -C "$connections"
    for _ in 1 2 3 4 5 6; do
        write_word conv=notrunc,fsync
        write_word oflag=direct,dsync
        write_word oflag=direct conv=notrunc,fsync
    done
    detach /dev/nbd0
done
stop_server
dmsetup remove below
expect_eq "$(/usr/bin/python3 "$tests/support/write_log.py" /dev/vdd)" '36 marks'
