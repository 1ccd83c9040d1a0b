#!/usr/bin/env bash
# What was adopted is adopted by the next server too, after a kill -9: in between nobody has lost what
# was acknowledged, and no other server gets the disk, neither exclusively nor adopted, while one that
# has it lives. Once it is released the next server shares it.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/claims.sh"
source "$tests/support/control.sh"
requires qemu-io
requires_loop_devices
workdir

disk=$(new_loop disk 16M)
serve_exports "$(volume vol "$(linear "$disk")" '"claim": "shared"')" '"state_dir": "state"'
refused_now() { # CLAIM
    expect_in "$(refused other "vol $1 false $disk")" "device \"$disk\": want an exclusive claim"
}
claim_is() { expect_eq "$(status_of vol claim)" "$1"; }
ctl claim vol adopted
for letter in 1 2 3; do
    claim_is adopted
    refused_now exclusive
    refused_now adopted
    expect_in "$(refused other "vol shared false $disk")" 'says that nobody else may write'
    qemu-io -f raw -c "write -f -P $letter ${letter}M 1M" "$(uri)" >/dev/null
    kill_server
    eventually 30 is_free "$disk" || fail 'the dead server keeps the disk'
    start_server config.json
done
! is_free "$disk" || fail 'the next server has not claimed it'
qemu-io -f raw -c 'read -P 1 1M 1M' -c 'read -P 2 2M 1M' -c 'read -P 3 3M 1M' "$(uri)" >said
! grep -i 'failed' said || fail 'what was acknowledged is lost'
ctl claim vol shared
expect_eq "$(find state -name '*.json')" '' 'what is recorded of an export as the file has it'
kill_server
start_server config.json
claim_is shared
is_free "$disk" || fail 'it was shared, and the next server has claimed it'
stop_server
