#!/usr/bin/env bash
# A service that is restarted, and whose manager keeps the sockets of its attachments meanwhile, is not
# noticed by the kernel: two writers see no error, nothing is lost, and no request is sent again, which
# would take an hour here.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/service.sh"
in_machine --disk 256M

modprobe nbd
write_exports "$(volume vol "$(linear /dev/vdc)" '"attach": {"device": "/dev/nbd0", "timeout_s": 3600}')" \
    "\"state_dir\": \"$work/state\""
start_managed -- config.json
make_filesystem ext4 /dev/nbd0 mnt
start_writer mnt/file
start_writer --direct mnt/file2
for round in 1 2 3; do
    restart_managed
    writers_go_on 30
    expect_eq "$(times_told 'FDSTORE=1 FDNAME=interposed-attachment.*')" $((2 * round)) 'what was kept'
    expect_eq "$(times_told 'FDSTOREREMOVE=1 FDNAME=interposed-attachment.*')" $((2 * round)) 'and given back'
    expect_eq "$(grep -c 'goes on with 1 connections to /dev/nbd0' server.log)" "$round" 'times it went on'
done
stop_writers
! dmesg | grep -E 'nbd0: (Connection timed out|Receive control failed)' || fail 'a socket was given up'
umount mnt
expect_clean ext4 /dev/nbd0
ctl detach vol
stop_managed
