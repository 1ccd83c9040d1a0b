#!/usr/bin/env bash
# Each event is told to whoever waits for it, of that export or of any, once and to all who wait;
# who waits for something else is not disturbed, and a deadline that passes is status 4.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires_python nbd
workdir

truncate -s 4M vol.img other.img
serve_exports "$(volume vol "$(linear "$work/vol.img")"), $(volume other "$(linear "$work/other.img")")"
control_python "$tests/support/awaited_events.py" "$server"
for event in connected flush_error any; do
    expect_ctl 4 'has not happened in time' wait "$event" vol --timeout 0.01
done
expect_ctl 4 'has not happened in time' wait reloaded --timeout 0.01
expect_ctl 2 'unknown "nonsense"' wait nonsense
stop_server
