#!/usr/bin/env bash
# examples/nbdtab is understood by nbd-client: its devices are attached by their names alone, over TCP
# and over a Unix socket, with the connections and the block size that it says, and can be mounted.
source "$(dirname "$0")/../support/vm.sh"
in_machine --disk 128M

cp "$tests/../examples/nbdtab" /etc/nbdtab
echo '127.0.0.1 storage.example' >>/etc/hosts
mkdir -p /run/interposed
listen_too='"tcp://127.0.0.1:10809", "unix:///run/interposed/nbd.sock"'
serve_exports "$(volume home "$(linear /dev/vdc 0 131072)"), $(volume scratch "$(linear /dev/vdc 131072)")"
modprobe nbd
for wanted in 'nbd0 home 4 512' 'nbd1 scratch 2 4096'; do
    read -r device export connections block <<<"$wanted"
    nbd-client "$device" >attach.log 2>&1 || fail "nbd-client $device: $(<attach.log)"
    eventually 30 is_attached "/dev/$device" || fail "$device: not attached: $(<attach.log)"
    ! grep -i warning attach.log || fail 'the example is not understood'
    eventually 30 has_connections "$export" "$connections" || fail "$export: want $connections connections"
    expect_eq "$(blockdev --getss "/dev/$device")" "$block" "$device: block size"
    make_filesystem ext4 "/dev/$device" mnt
    umount mnt
    expect_clean ext4 "/dev/$device"
    detach "/dev/$device"
done
stop_server
