#!/usr/bin/env bash
# Clients of libnbd start the server by themselves, over a socket that they pass, and end it; and so
# does systemd-socket-activate when the first client comes.
source "$(dirname "$0")/../support/functions.sh"
requires nbdinfo nbdcopy systemd-socket-activate
requires_python nbd
workdir

head -c 3M /dev/urandom >first.img
truncate -s 5M second.img
expect_eq "$(nbdinfo --size -- [ "$INTERPOSED" --listen systemd first.img second.img ])" \
    $((8 << 20)) 'size for nbdinfo'
nbdcopy -- [ "$INTERPOSED" --listen systemd --read-only first.img second.img ] copy.img
cat first.img second.img | cmp - copy.img
head -c 8M /dev/urandom >wanted.img
nbdcopy wanted.img -- [ "$INTERPOSED" --listen systemd first.img second.img ]
cat first.img second.img | cmp - wanted.img

/usr/bin/python3 - "$INTERPOSED" <<'END'
import sys, nbd
client = nbd.NBD()
client.set_export_name("vol")
client.connect_systemd_socket_activation([sys.argv[1], "--listen", "systemd", "--export", "vol",
                                          "first.img"])
client.pwrite(b"x" * 512, 1 << 20, nbd.CMD_FLAG_FUA)
assert client.pread(512, 1 << 20) == b"x" * 512
client.shutdown()
END

port=$(free_port)
systemd-socket-activate --listen="127.0.0.1:$port" --listen="$PWD/a.sock" --fdname=web:local \
    "$INTERPOSED" --listen systemd:web --listen systemd:local first.img 2>server.log &
at_exit kill_hard "$!"
eventually 10 test -S a.sock || fail "nothing is listened on: $(<server.log)"
expect_eq "$(nbdinfo --size "nbd://127.0.0.1:$port")" $((3 << 20)) 'size over TCP'
expect_eq "$(nbdinfo --size "nbd+unix:///?socket=$PWD/a.sock")" $((3 << 20)) 'size over a Unix socket'
