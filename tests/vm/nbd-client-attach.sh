#!/usr/bin/env bash
# The kernel's client attaches to a server on another machine, by name over TCP with four connections:
# an ext4 is made there, writers write to it and to the device of another export at once, trims reach
# the image, and what the kernel thinks of the device is what the export is.
source "$(dirname "$0")/../support/vm.sh"

on_host() {
    truncate -s 128M fs.img
    truncate -s 16M raw.img
    port=$(free_port)
    listen_too="\"tcp://127.0.0.1:$port\""
    serve_exports "$(volume fs "$(linear "$work/fs.img" 0 131072), $(linear "$work/fs.img" 131072)"),
        $(volume raw "$(linear "$work/raw.img")")"
    machine_options+=(--set "port=$port")
}
on_host_afterwards() {
    e2fsck -fn fs.img || fail 'the image is damaged'
    stop_server
}
in_machine

server_address=(10.0.2.2 "$port")
attach /dev/nbd0 -N fs -C 4 "${server_address[@]}"
attach /dev/nbd1 -N raw -b 4096 "${server_address[@]}"
expect_eq "$(blockdev --getsize64 /dev/nbd0) $(blockdev --getss /dev/nbd0)" "$((128 << 20)) 512"
expect_eq "$(blockdev --getsize64 /dev/nbd1) $(blockdev --getss /dev/nbd1)" "$((16 << 20)) 4096"
expect_eq "$(queue /dev/nbd0 write_cache) $(queue /dev/nbd0 fua)" 'write back 1' 'FLUSH and FUA'
make_filesystem ext4 /dev/nbd0 mnt
start_writer mnt/file
start_writer --direct mnt/file2
start_writer --direct /dev/nbd1
writers_go_on 200
stop_writers
umount mnt
expect_clean ext4 /dev/nbd0
detach /dev/nbd0 /dev/nbd1
