#!/usr/bin/env bash
# A server that becomes somebody else attaches exports to the kernel with one capability, at the start,
# at run time and after a kill, and stays in memory; one that is not to attach has none, and says what
# it lacks.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/service.sh"
in_machine --disk 64M --disk 64M

modprobe nbd
chmod 755 .
echo 'nobody:x:65534:65534::/:/bin/false' >>/etc/passwd
printf '%s\n' 'nogroup:x:65534:' 'disk:x:6:' >>/etc/group
chgrp disk /dev/vd[cd] /dev/nbd* && chmod 660 /dev/vd[cd] /dev/nbd*
keys="\"run_as\": {\"user\": \"nobody\", \"groups\": [\"disk\"]}, \"state_dir\": \"$work/state\""
late=$(volume late "$(linear /dev/vdd)")
write_exports "$late" "$keys"
start_server config.json
expect_eq "$(each_thread CapEff)" 0000000000000000 'capabilities of one that is not to attach'
expect_ctl 1 'CAP_SYS_ADMIN' attach late /dev/nbd1
stop_server

write_exports "$(volume vol "$(linear /dev/vdc)" '"attach": "/dev/nbd0"'), $late" "$keys"
start_server config.json
make_filesystem ext4 /dev/nbd0 mnt
ctl attach late /dev/nbd1
make_filesystem ext4 /dev/nbd1 mnt2
start_writer mnt/file
start_writer --direct mnt2/file
expect_eq "$(each_thread CapEff | xargs)" '0000000000000000 0000000000200000' 'capabilities'
expect_eq "$(each_thread CapBnd)" 0000000000000000 'what it could come to'
expect_eq "$(each_thread Uid | xargs)" '65534 65534 65534 65534' 'user'
expect_eq "$(</proc/"$server"/oom_score_adj)" -1000 'oom_score_adj'
grep -q '^Max locked memory  *unlimited' "/proc/$server/limits" || fail 'it may not lock its memory'
! grep 'without what protects' server.log || fail 'it lacks something'
kill_server
start_server config.json
writers_go_on 30
stop_writers
umount mnt mnt2
expect_clean ext4 /dev/nbd0
