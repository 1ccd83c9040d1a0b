#!/usr/bin/env bash
# A mounted filesystem survives its server: whether that is killed, stopped and started again, or
# hands over to the next one, two writers see no error and nothing is lost; and where it hands over,
# the kernel does not even notice.
source "$(dirname "$0")/../support/vm.sh"
in_machine --disk 256M

given_up() { dmesg | grep -cE 'nbd0: (Connection timed out|Receive control failed)'; }

modprobe nbd
write_exports "$(volume vol "$(linear /dev/vdc)" '"attach": {"device": "/dev/nbd0", "timeout_s": 6}')" \
    "\"state_dir\": \"$work/state\""
start_server config.json
make_filesystem ext4 /dev/nbd0 mnt
start_writer mnt/file
start_writer --direct mnt/file2
for _ in 1 2 3; do
    kill_server
    start_server config.json
    writers_go_on 30
done
stop_server
start_server config.json
writers_go_on 30

before=$(given_up) old=$server
for _ in 1 2 3; do
    start_server --take-over config.json
    wait "$old" || fail "the server that handed over: exit status $?"
    old=$server
    writers_go_on 30
done
expect_eq "$(given_up)" "$before" 'how often the kernel gave up a socket'
expect_eq "$(of 'r["attachments"][0]["state"]' attached)" serving
stop_writers
umount mnt
expect_clean ext4 /dev/nbd0
ctl detach vol
expect_eq "$(blockdev --getsize64 /dev/nbd0)" 0
stop_server
