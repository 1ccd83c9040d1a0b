#!/usr/bin/env bash
# An export never shrinks, never grows past its device, nor into what another export has; a refused
# resize changes nothing.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires_python nbd
workdir

truncate -s 1M first.img
truncate -s 6M file.img sized.img
serve_exports "$(volume file "$(linear "$work/first.img" 0 2048), $(linear "$work/file.img")"),
    $(volume sized "$(linear "$work/sized.img" 0 8192)"),
    $(volume behind "$(linear "$work/sized.img" 10240)")" '"state_dir": "state"'
start_load 1 "$(uri file)" "--at 0 $(uri sized)"
remember
expect_no_trace 'say which size is wanted' resize sized
expect_no_trace 'too small' resize sized 12289s
expect_no_trace 'overlaps' resize sized 6MiB
expect_no_trace 'want at least the 4194304 bytes' resize sized 4194303
expect_no_trace 'want at least the 7340032 bytes' resize file 2MiB
expect_no_trace 'where its last segment starts' resize file 1MiB
expect_no_trace 'too small' resize file 1TiB
expect_no_trace 'no export is called' resize absent 1MiB
expect_ctl 0 'grown to 5242880' resize sized 5MiB
ctl load file <(table "$(linear "$work/first.img")" ) 2>/dev/null || fail 'it cannot be loaded'
expect_ctl 1 'has a table loaded: resume or clear it first' resize file 7MiB
stop_load
stop_server
