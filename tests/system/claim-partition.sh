#!/usr/bin/env bash
# A claim on a partition excludes its whole disk and the other way round, but no sibling.
source "$(dirname "$0")/../support/functions.sh"
source "$(dirname "$0")/../support/claims.sh"
requires addpart delpart
requires_loop_devices
workdir

disk=$(new_loop disk 16M)
first=$(add_partition "$disk" 1 2048 4096)
second=$(add_partition "$disk" 2 8192 4096)

serve a "vol exclusive false $first"
said=$(refused b "vol exclusive false $disk")
expect_in "$said" "device \"$disk\": want an exclusive claim"
expect_in "$said" "(pid $server) (its partition $first)"
is_free "$second" || fail 'a sibling is excluded'
stop_server

serve c "vol exclusive false $disk"
said=$(refused d "vol exclusive false $first")
expect_in "$said" "(pid $server) (its whole disk $disk)"
stop_server

serve e "one exclusive false $first" "two exclusive false $second"
