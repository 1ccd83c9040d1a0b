#!/usr/bin/env bash
# After a reload a file that has grown is larger for clients that come then; those that there are go
# on, and nothing else changes.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires nbdinfo
requires_python nbd
workdir

truncate -s 4M first.img grows.img sized.img
serve_exports "$(volume grows "$(linear "$work/first.img" 0 8192), $(linear "$work/grows.img")"),
    $(volume sized "$(linear "$work/sized.img" 0 8192)")"
start_load 1 "$(uri grows)" "--simple $(uri grows)" "--at 0 $(uri sized)"
mib=4
for how in hang_up 'ctl reload' hang_up 'ctl reload'; do
    mib=$((mib + 1))
    truncate -s "${mib}M" grows.img sized.img
    expect_eq "$(nbdinfo --size "$(uri grows)")" $(((mib + 3) << 20))
    $how
    expect_eq "$(nbdinfo --size "$(uri grows)")" $(((mib + 4) << 20))
    expect_eq "$(status_of grows generation) $(status_of grows changed)" "$((mib - 3)) False"
done
expect_eq "$(status_of sized generation) $(status_of sized size)" '1 4194304'
truncate -s 5M grows.img
expect_ctl 1 'has clients: want at least the 12582912 bytes' reload
stop_load
stop_server
