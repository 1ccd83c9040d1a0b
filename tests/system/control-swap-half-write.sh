#!/usr/bin/env bash
# A WRITE of which a part has arrived, and nothing has been written yet, does not hold up a swap: it
# goes to the new table as a whole, of any length, framing and kind of socket. The requests behind it
# are not taken for its payload, nor the other way round.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
workdir

truncate -s 16M a.img b.img
port=$(free_port)
listen_too="\"tcp://127.0.0.1:$port\"" serve_exports "$(volume vol "$(linear "$work/a.img")")"
control_python "$tests/support/half_writes.py" "nbd://127.0.0.1:$port/vol"
stop_server
