#!/usr/bin/env bash
# A client that is still choosing while the export changes: what it was told holds, or it is turned
# away; one that comes while it is suspended waits, and then gets what there is.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires_python nbd
workdir

truncate -s 4M large.img small.img
serve_exports "$(volume vol "$(linear "$work/large.img")")"
control_python "$tests/support/choosing_clients.py"
stop_server
