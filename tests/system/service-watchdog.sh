#!/usr/bin/env bash
# The service manager hears that the server is alive for as long as its loops turn. Writes that are
# stuck in a device are no reason not to: killing it would not help. A loop that stands still is.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/service.sh"
requires fsfreeze mkfs.ext4
requires_python nbd
workdir

truncate -s 64M fs.img
loop_on fs.img >/dev/null
mkfs.ext4 -q "$loop"
mkdir mnt
mount "$loop" mnt
truncate -s 8M mnt/stuck.img
start_managed --watchdog-us 1000000 -- --listen "unix://$PWD/nbd.sock" mnt/stuck.img
more_pings() { # HOW-MANY
    local before
    before=$(times_told WATCHDOG=1)
    eventually 60 is_told_more WATCHDOG=1 $((before + $1)) || fail 'the manager hears no more'
}
more_pings 3
fsfreeze --freeze mnt
/usr/bin/python3 "$tests/support/in_flight.py" "nbd+unix:///?socket=$PWD/nbd.sock" write &
stuck=$!
eventually 30 test -e sent || fail 'want the requests to be sent'
more_pings 12   # of which there are four in the time after which it would be killed
fsfreeze --unfreeze mnt
wait "$stuck" || fail 'a stuck write was not answered after the thaw'
! grep -q 'is not told any more' server.log || fail 'the manager was not told'
# Holds the threads of both kinds that wait for events, but for the main one, until it is killed.
/usr/bin/python3 "$tests/support/stop_threads.py" "$server" &
stopper=$!
eventually 60 grep -q 'is not told any more that this server is alive: event loop [0-9]* does not turn' \
    server.log || fail 'a loop that stands still is not noticed'
kill_hard "$stopper"
eventually 60 grep -q 'is told again that this server is alive' server.log || fail 'it does not go on'
more_pings 3
stop_managed
