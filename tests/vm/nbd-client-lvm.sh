#!/usr/bin/env bash
# LVM on two exports: a volume over both, with an ext4, that grows while it is written to; and when an
# export was resized and attached again, its physical volume grows too.
source "$(dirname "$0")/../support/vm.sh"
in_machine --disk 256M --disk 256M
# The disks below have the same contents, which is not for LVM to see.
echo 'devices { global_filter = [ "a|^/dev/nbd|", "r|.*|" ] }' >/etc/lvm/lvmlocal.conf

serve_exports "$(volume a "$(linear /dev/vdc 0 131072)"), $(volume b "$(linear /dev/vdd)")"
attach_both() {
    attach /dev/nbd0 -unix "$work/nbd.sock" -N a -C 2
    attach /dev/nbd1 -unix "$work/nbd.sock" -N b -b 512
}
lvm_says() { "$@" >lvm.log 2>&1 || fail "$*: $(<lvm.log)"; } # COMMAND...
attach_both
lvm_says pvcreate /dev/nbd0 /dev/nbd1
lvm_says vgcreate group /dev/nbd0 /dev/nbd1
at_exit vgchange --activate n group
lvm_says lvcreate --yes --stripes 2 --size 64M --name volume group
make_filesystem ext4 /dev/group/volume mnt
start_writer mnt/buffered
start_writer --direct mnt/direct
writers_go_on 50
lvm_says lvextend --resizefs --stripes 1 --size +64M group/volume /dev/nbd1
writers_go_on 50
stop_writers
umount mnt
lvm_says vgchange --activate n group
detach /dev/nbd0 /dev/nbd1
expect_ctl 0 'grown to 268435456' resize a 256MiB
attach_both
lvm_says pvresize /dev/nbd0
lvm_says vgchange --activate y group
lvm_says lvextend --stripes 1 --size +128M group/volume /dev/nbd0
expect_clean ext4 /dev/group/volume
expect_eq "$(blockdev --getsize64 /dev/group/volume)" $((256 << 20))
lvm_says vgchange --activate n group
detach /dev/nbd0 /dev/nbd1
stop_server
