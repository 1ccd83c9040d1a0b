#!/usr/bin/env bash
# A server that root has started opens what it serves, and then is somebody else, in all its threads,
# who may do nothing more than others; its sockets are that user's; and it goes on serving.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/service.sh"
source "$tests/support/run_as.sh"
requires nbdcopy
workdir
open_to_all

truncate -s 4M disk.img secret.img
chmod 600 secret.img
disk_node disk root "$(loop_on disk.img)"
port=$(free_port)
listen_too="{\"unix\": \"$work/mine.sock\", \"group\": \"root\", \"mode\": \"0600\"}" serve_exports \
    "$(volume vol "$(linear "$work/secret.img" 0 8192), $(linear "$work/disk")")" \
    "\"run_as\": {\"user\": \"nobody\", \"groups\": [\"disk\"]}, \"state_dir\": \"$work/state\",
     \"metrics\": \"tcp://127.0.0.1:$port\""
head -c 8M /dev/urandom >wanted.img
nbdcopy wanted.img "$(uri)"   # by way of io_uring's and the devices' own threads
cat secret.img disk.img | cmp - wanted.img
ctl create "$(volume b "$(linear /dev/null)")" 2>/dev/null || true # so that there is a job's thread

(($(find "/proc/$server/task" -maxdepth 1 | wc -l) > 6)) || fail 'want all kinds of threads'
uid=$(id -u nobody) gid=$(id -g nobody) disk=$(getent group disk | cut -d : -f 3)
expect_eq "$(each_thread Uid)" "$uid	$uid	$uid	$uid" 'user'
expect_eq "$(each_thread Gid)" "$gid	$gid	$gid	$gid" 'group'
expect_eq "$(each_thread Groups)" "$disk" 'other groups'
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
    expect_eq "$(each_thread "$set")" 0000000000000000 "$set"
done
expect_eq "$(each_thread NoNewPrivs)" 1 'no_new_privs'
expect_eq "$(stat -c '%a %U %G' nbd.sock)" "660 nobody $(id -gn nobody)" nbd.sock
expect_eq "$(stat -c '%a %U %G' control.sock)" "600 nobody $(id -gn nobody)" control.sock
expect_eq "$(stat -c '%a %U %G' mine.sock)" '600 nobody root' mine.sock
expect_eq "$(stat -c '%a %U' state)" '700 nobody' state
setpriv --reuid nobody --clear-groups "$INTERPOSECTL" --socket "$work/control.sock" ls >/dev/null ||
    fail 'the server does not let its own user in'
stop_server
