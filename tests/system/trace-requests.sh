#!/usr/bin/env bash
# Tracing logs each request of the sessions it is asked for, with what it was and how long it took,
# and no others; of an export also those of clients that come later; and ends as it is asked to.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires_python nbd
workdir

truncate -s 4M vol.img other.img
port=$(free_port)
listen_too="\"tcp://127.0.0.1:$port\"" serve_exports "$(volume vol "$(linear "$work/vol.img")"),
    $(volume other "$(linear "$work/other.img")")"
control_python "$tests/support/traced_requests.py" "nbd://127.0.0.1:$port/vol"
expect_ctl 0 "0 sessions" trace off --client 1.2.3.4
stop_server
