#!/usr/bin/env bash
# A server that is to have sockets passed to it and has none, or whose environment speaks of others'
# or of more than there are, says so and serves nothing.
source "$(dirname "$0")/../support/functions.sh"
workdir
truncate -s 1M vol.img

refused() { # TEXT COMMAND...
    local code=0
    timeout 60 "${@:2}" 2>said.txt || code=$?
    expect_eq "$code" 1 "exit status ($(<said.txt))"
    expect_in "$(<said.txt)" "$1"
}
nothing='want a socket that the service manager passes at the start, found none that is left'
refused "listen \"systemd:x\": $nothing" "$INTERPOSED" --listen systemd:x vol.img
refused "listen \"systemd\": $nothing" env LISTEN_PID=1 LISTEN_FDS=1 "$INTERPOSED" --listen systemd vol.img
nonsense='LISTEN_FDS and LISTEN_FDNAMES: want the sockets that were passed, found'
become='export LISTEN_PID=$$; exec "$0" --listen systemd vol.img'
refused "$nonsense" env LISTEN_FDS=3 bash -c "exec 3</dev/null 4</dev/null 5<&-; $become" "$INTERPOSED"
refused "$nonsense" env LISTEN_FDS=x bash -c "exec 3</dev/null; $become" "$INTERPOSED"
refused "$nonsense" env LISTEN_FDS=1 LISTEN_FDNAMES=a:b bash -c "exec 3</dev/null; $become" "$INTERPOSED"
refused 'socket "unknown" that the service manager has passed: want a stream socket that is listened on' \
    env LISTEN_FDS=1 bash -c "exec 3</dev/null; $become" "$INTERPOSED"
