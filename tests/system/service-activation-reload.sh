#!/usr/bin/env bash
# A reload keeps the sockets that were passed at the start, and can do neither without one of them nor
# with another one.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/activation.sh"
requires nbdinfo
workdir

truncate -s 1M vol.img b.img
port=$(free_port)
vol=$(volume vol "$(linear "$work/vol.img")")
both="$vol, $(volume b "$(linear "$work/b.img")")"
write_listening '["systemd", {"systemd": "local"}]' "$vol"
start_activated "tcp:$port=web" unix:own.sock=local -- "$INTERPOSED" config.json

write_listening '["systemd", {"systemd": "local"}]' "$both"
expect_ctl 0 '' reload
expect_eq "$(sizes b "$port" own.sock | uniq -c | xargs)" "2 $((1 << 20))" 'sizes after a reload'
want='want a socket that the service manager passes at the start, found'
write_listening '["systemd"]' "$vol"
expect_ctl 1 "listen \"systemd:local\": $want it to be no listener any more" reload
write_listening '["systemd", {"systemd": "local"}, "systemd:new"]' "$vol"
expect_ctl 1 "listen \"systemd:new\": $want none that is left" reload
expect_eq "$(sizes b "$port" own.sock | uniq -c | xargs)" "2 $((1 << 20))" 'sizes after refusals'
write_listening '[{"systemd": "local"}, "systemd", "tcp://127.0.0.1:0"]' "$vol"
expect_ctl 0 '' reload
expect_eq "$(names)" vol
stop_server
