# shellcheck shell=bash
# What the tests of sockets that are passed to the server share, on top of functions.sh and control.sh.

write_listening() { # LISTENERS EXPORTS
    echo "{\"listen\": $1, \"control\": \"$work/control.sock\", \"exports\": [$2]}" >config.json
}

# Starts the server with sockets that are opened for it, and waits until it serves.
start_activated() { # SOCKET-OF-PASS-SOCKETS... -- COMMAND...
    : >server.log
    /usr/bin/python3 "$tests/support/pass_sockets.py" "$@" 2>server.log &
    server=$!
    at_exit kill_hard "$server"
    eventually 30 is_ready || fail 'the server is not ready in time'
    ! has_ended "$server" || fail 'the server has ended'
}

# The sizes of an export, as clients of each socket see it.
sizes() { # EXPORT PORT SOCKET-FILE...
    local socket
    nbdinfo --size "nbd://127.0.0.1:$2/$1"
    for socket in "${@:3}"; do nbdinfo --size "nbd+unix:///$1?socket=$work/$socket"; done
}
