#!/usr/bin/env bash
# The counters are what the clients did: requests and bytes of each kind, of the export, the session
# and each device, also over a swap; "top" and "statistics" show them.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires_python nbd
workdir

truncate -s 4M a.img b.img c.img
serve_exports "$(volume vol "$(linear "$work/a.img" 0 8192), $(linear "$work/b.img")"),
    $(volume idle "$(linear "$work/c.img")")"
control_python "$tests/support/counted_requests.py"
stop_server
