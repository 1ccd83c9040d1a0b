#!/usr/bin/env bash
# A mounted filesystem survives its server: whether that is killed, stopped and started again, or
# hands over to the next one, two writers see no error and nothing is lost; and where it hands over,
# the kernel does not even notice.
source "$(dirname "$0")/../support/vm.sh"
in_machine --disk 256M
given_up() { dmesg | grep -cE 'nbd0: (Connection timed out|Receive control failed)'; }
configure() { # SECONDS: after so many without an answer the kernel sends a request again
    write_exports "$(volume vol "$(linear /dev/vdc)" '"attach": {"device": "/dev/nbd0", "timeout_s": '"$1}")" \
        "\"state_dir\": \"$work/state\""
}
modprobe nbd
configure 2
start_server config.json
make_filesystem ext4 /dev/nbd0 mnt
start_writer mnt/file
start_writer --direct mnt/file2
for how in kill_server kill_server kill_server stop_server; do
    $how
    [[ $how != stop_server ]] || configure 60 # now it gives up only what is lost
    start_server config.json
    writers_go_on 30
done

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
