#!/usr/bin/env bash
# Of an export that takes one connection the second is told so, and goes without; however the first
# ends, the place is free again.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires qemu-io
requires_python nbd
workdir

truncate -s 4M vol.img
port=$(free_port)
listen_too="\"tcp://127.0.0.1:$port\"" serve_exports \
    "$(volume vol "$(linear "$work/vol.img")" '"max_connections": 1')"
control_python "$tests/support/one_client.py" "$port"
expect_eq "$(status_of vol connections)" 0
stop_server
