#!/usr/bin/env bash
# An export grows with its device, a file or a loop device, while it is in use, or to the size that
# is asked for; new clients see it and can write there, and those that it has go on.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/claims.sh"
source "$tests/support/control.sh"
requires nbdinfo
requires_python nbd
requires_loop_devices
workdir

truncate -s 1M first.img
truncate -s 4M file.img sized.img
disk=$(new_loop disk.img 4M)
serve_exports "$(volume file "$(linear "$work/first.img" 0 2048), $(linear "$work/file.img")"),
    $(volume disk "$(linear "$disk")"),
    $(volume sized "$(linear "$work/sized.img" 0 2048)")" '"state_dir": "state"'
size_is() { expect_eq "$(nbdinfo --size "$(uri "$1")") $(status_of "$1" generation)" "$2 $3" "$1"; }
start_load 1 "$(uri file)" "$(uri file)" "--at 0 $(uri disk)" "--at 0 $(uri sized)"
truncate -s 6M file.img disk.img sized.img
losetup --set-capacity "$disk"
expect_ctl 0 'grown to 7340032' resize file
expect_ctl 0 'grown to 6291456' resize disk
size_is file 7340032 2
size_is disk 6291456 2
expect_ctl 0 'grown to 6291456' resize sized 6MiB
size_is sized 6291456 2
/usr/bin/python3 - "$(uri file)" "$(uri disk)" "$(uri sized)" <<'END'
import sys, nbd
for uri in sys.argv[1:]:
    client = nbd.NBD()
    client.connect_uri(uri)
    client.pwrite(b"end" * 512, client.get_size() - 1536, nbd.CMD_FLAG_FUA)
END
for image in file disk sized; do expect_eq "$(tail -c 3 "$image.img")" end "$image.img"; done
stop_load
kill_server
start_server config.json
expect_eq "$(status_of file size) $(status_of disk size) $(status_of sized size)" '7340032 6291456 6291456'
stop_server
