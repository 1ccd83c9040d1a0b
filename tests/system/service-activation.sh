#!/usr/bin/env bash
# Sockets that were opened for the server are served as the configuration names them: by name, or all
# that are left. A client that came before the server is served, and the file of a Unix socket stays
# when the server stops.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/activation.sh"
requires nbdinfo
workdir

truncate -s 1M vol.img
port=$(free_port)
write_listening '["systemd", {"systemd": "local"}]' "$(volume vol "$(linear "$work/vol.img")")"
start_activated unix:own.sock=local "tcp:$port=web" unix:other.sock=web unix:nbd.sock=more -- \
    sh -c 'nbdinfo --size "nbd+unix:///vol?socket=own.sock" >early.txt & exec "$0" config.json' \
    "$INTERPOSED"
eventually 30 test -s early.txt || fail 'who came first is not served'
expect_eq "$(<early.txt)" $((1 << 20)) 'size for who came first'
expect_eq "$(sizes vol "$port" own.sock other.sock nbd.sock | uniq -c | xargs)" "4 $((1 << 20))" sizes
for line in "unix://own.sock" "tcp://127.0.0.1:$port" "unix://other.sock" "unix://nbd.sock"; do
    grep -q "listening on $line\$" server.log || fail "not listening on $line"
done
stop_server
for socket in own other nbd; do [[ -S $socket.sock ]] || fail "$socket.sock was removed"; done
