#!/usr/bin/env bash
# What would do harm is refused before anything is touched, with the reason: each of these was seen
# to stall or to damage a volume.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/interposing.sh"
in_machine --disk 64M --disk 32M

start_interposer
disk=/dev/vdc
volume=$(make_volume vol "$disk 0 131072")
make_filesystem ext4 "$volume" mnt
expect_refused() { # TEXT [ARGUMENT...]
    expect_ctl 1 "$1" interpose "${@:2}" vol
    is_at_rest vol || [[ $1 == *suspended* || $1 == *inactive* ]] || fail "$1: left $(dmsetup info vol)"
    expect_eq "$(live_table vol)" '0 131072 linear 254:32 0'
    expect_eq "$(of "len(r['attachments'])" attached)" 0
}

echo '0 131072 linear 254:32 0' | dmsetup load vol
expect_refused 'somebody has loaded an inactive table'
dmsetup clear vol
dmsetup suspend vol
expect_refused 'it is suspended'
dmsetup resume vol
truncate --size 4M mnt/swap && chmod 600 mnt/swap && dd if=/dev/zero of=mnt/swap bs=1M count=4 status=none
mkswap mnt/swap >/dev/null && swapon mnt/swap
expect_refused 'swap is on it' --force
swapoff mnt/swap
mount --bind mnt state && kill_server && start_server config.json
expect_refused "the server's state_dir" --force
umount --lazy state && kill_server && start_server config.json

make_filesystem ext4 /dev/vdd plain
expect_ctl 1 'a filesystem on vdd, which is no such volume' interpose "$work/plain"
expect_ctl 1 'want a device-mapper volume' interpose /dev/vdd
expect_ctl 1 'nothing of that name' interpose nobody
echo "0 65536 striped 1 128 /dev/vdc 0" | dmsetup create striped
expect_ctl 1 'want linear targets only, found "0 65536 striped 1 128 254:32 0"' interpose striped
dmsetup remove striped
echo "0 65536 linear /dev/vdc 0" | dmsetup create --readonly frozen
expect_ctl 1 'found a read-only one' interpose frozen
dmsetup remove frozen
expect_ctl 1 'the server knows nothing of it' release vol
