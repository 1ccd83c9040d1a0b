#!/usr/bin/env bash
# Sockets that are passed and the listeners of the configuration have to fit: one that is missing, left
# over, or no stream socket that is listened on is said by its name, and nothing is served.
source "$(dirname "$0")/../support/functions.sh"
workdir
truncate -s 1M vol.img

refused() { # TEXT LISTENERS SOCKET...
    local code=0
    rm -f ./*.sock
    echo "{\"listen\": $2, \"exports\": [{\"name\": \"\", \"table\": [
        {\"kind\": \"linear\", \"device\": \"vol.img\"}]}]}" >config.json
    timeout 60 /usr/bin/python3 "$tests/support/pass_sockets.py" "${@:3}" -- \
        "$INTERPOSED" config.json 2>said.txt || code=$?
    expect_eq "$code" 1 "exit status ($(<said.txt))"
    expect_in "$(<said.txt)" "$1"
    ! grep -qx ready said.txt || fail 'it was ready'
}
want='want a socket that the service manager passes at the start, found'
refused "listen \"systemd:b\": $want only \"a\"" '["systemd:b"]' unix:a.sock=a
refused "listen \"systemd:b\": $want none that is left" '["systemd", "systemd:b"]' unix:a.sock=a
refused "listen \"systemd\": $want none that is left" '["systemd:a", "systemd"]' unix:a.sock=a
refused 'has passed the socket "b" (unix://b.sock): want a listener for it in "listen", found none' \
    '["systemd:a"]' unix:a.sock=a unix:b.sock=b
refused 'has passed the socket "a" (unix://a.sock): want a listener for it in "listen", found none' \
    '["tcp://127.0.0.1:0"]' unix:a.sock=a
want='that the service manager has passed: want a stream socket that is listened on, found'
refused "socket \"a\" $want a datagram socket" '["systemd"]' datagram:a.sock=a
refused "socket \"a\" $want one that is not" '["systemd:a"]' idle:a.sock=a
