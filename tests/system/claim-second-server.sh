#!/usr/bin/env bash
# Two servers cannot have one device exclusively; the second says which process has it.
source "$(dirname "$0")/../support/functions.sh"
source "$(dirname "$0")/../support/claims.sh"
requires_loop_devices
workdir

device=$(new_loop disk 16M)
truncate --size 16M image

serve a "vol exclusive false $device"
said=$(refused b "vol exclusive false $device")
expect_in "$said" "device \"$device\": want an exclusive claim"
expect_in "$said" "(pid $server)"
stop_server

serve c "vol exclusive false $work/image"
for claim in exclusive shared; do
    said=$(refused d "vol $claim false $work/image")
    expect_in "$said" "device \"$work/image\": want a"
    expect_in "$said" "(pid $server), whose lock on byte"
done
stop_server

# The first one's claim ends with it.
serve e "vol exclusive false $device"
