#!/usr/bin/env bash
# A logical volume that was extended and has a neighbour on its disk is interposed under writers on
# both, with an xfs on it; the fence is the lease, for device-mapper keeps its claim. LVM's own reload
# takes the server out of the path, and that is told.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/interposing.sh"
in_machine --disk 700M

start_interposer
lvm_quietly vgcreate vg /dev/vdc
lvm_quietly lvcreate --yes --size 320M --name lv vg
lvm_quietly lvcreate --yes --size 64M --name other vg
lvm_quietly lvextend --size 352M vg/lv
at_exit vgchange --activate n vg
expect_eq "$(live_table vg-lv | wc -l)" 2 'segments of the extended volume'
live_table vg-lv >before.txt
make_filesystem xfs /dev/vg/lv mnt
start_writer mnt/file
start_writer --direct mnt/direct
start_writer --direct /dev/vg/other

expect_ctl 0 'LVM thinks that the volume is its own' interpose --dry-run /dev/vg/lv
expect_ctl 0 'the fence is the lease' interpose /dev/vg/lv
is_over_nbd vg-lv || fail "not interposed: $(live_table vg-lv)"
writers_go_on 50
expect_ctl 0 lease interposed vg-lv
expect_ctl 0 'interposed already' interpose vg-lv
expect_ctl 0 'released' release vg-lv
expect_eq "$(live_table vg-lv)" "$(<before.txt)"
expect_ctl 0 'the fence is the lease' interpose /dev/vg/lv
lvm_quietly lvchange --refresh vg/lv
expect_eq "$(live_table vg-lv)" "$(<before.txt)" 'table after lvchange --refresh'
expect_ctl 1 'CHANGED by somebody else: it is as before' interposed
writers_go_on 50
expect_ctl 0 'released' release vg-lv
writers_go_on 20
stop_writers
umount mnt
expect_clean xfs /dev/vg/lv
