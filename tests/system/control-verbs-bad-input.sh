#!/usr/bin/env bash
# Whatever is sent to the control socket: params that are missing, unknown or of the wrong type,
# batches, no JSON, lines that are too long or never end, and peers that never read. Each gets the
# error of the protocol, a client of an export notices nothing, and nothing is left open.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires_python nbd
workdir

truncate -s 4M vol.img
serve_exports "$(volume vol "$(linear "$work/vol.img")")" '"state_dir": "state"'
start_load 2 "$(uri)" "--simple $(uri)"
control_python "$tests/support/bad_control.py" "$server"
stop_load
expect_eq "$(names)" vol
stop_server
