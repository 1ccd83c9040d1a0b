#!/usr/bin/env bash
# An export on two disks is adopted and shared again, twenty times, while clients do random I/O through
# it: none of them notices, and the disks have what was written. Whoever claims a disk in the kernel's
# way is kept out while it is adopted, and let in at once when it is released.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/claims.sh"
source "$tests/support/control.sh"
requires_python nbd
requires mkfs.ext4
requires_loop_devices
workdir

one=$(new_loop one 24M)
two=$(new_loop two 24M)
serve_exports "$(volume vol "$(linear "$one" 0 49152), $(linear "$two")" '"claim": "shared"')" \
    '"state_dir": "state"'
start_load 12 "$(uri)" "--simple $(uri)" "$(uri)" "$(uri)"
for _ in {1..20}; do
    expect_eq "$(of "r['claim'], r['changed'], r['recorded']" claim vol adopted)" \
        "('adopted', True, True)"
    ! is_free "$one" && ! is_free "$two" || fail 'it is adopted, and others can claim a disk'
    expect_eq "$(of "r['changed']" claim vol adopted)" False
    expect_eq "$(of "r['changed'], r['free']" claim vol shared)" '(True, True)'
    is_free "$one" && is_free "$two" || fail 'it is released, and a disk is claimed still'
done
ctl claim vol adopted
! mkfs.ext4 -q "$one" </dev/null 2>/dev/null || fail 'mkfs.ext4 formatted it'
stop_load
cat part-{0,1,2,3}.img | cmp - <(cat one two)
expect_eq "$(status_of vol generation) $(status_of vol minimum_block)" '1 512'
of "r['text']" metrics >metrics.txt
grep -q 'interposed_device_claim.*claim="exclusive"' metrics.txt || fail 'metrics say that it is shared'
expect_in "$(ctl claim vol shared)" 'claim shared; requests were held'
mkfs.ext4 -q "$one" </dev/null || fail 'cannot be formatted after it was released'
stop_server
