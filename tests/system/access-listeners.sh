#!/usr/bin/env bash
# A listener's rules say who may speak to it: others are closed right after accept, before the
# greeting, take no place of the limits, and a flood of them does not fill the log. What its rules
# let only be read is so, whatever the export says.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/access.sh"
workdir

open_folder '"allow": [{"group": "games"}, {"user": "backup", "access": "read_only"}]'
port=$(free_port) tcp=nbd://127.0.0.1
cat >config.json <<END
{"listen": [{"tcp": "127.0.0.1:$port", "allow": ["127.0.0.2"]}, $open_socket],
 "limits": {"connections": 2}, "exports": [
  $(export_for vol), $(export_for readers '{"access": "read_only"}'), $(export_for v4 '"127.0.0.0/8"')
]}
END
start_server config.json
expect_may() { expect_eq "$("${@:2}")" "$1" "${*:2}"; }
expect_may read-write may_as nobody games ''
expect_may read-only may_as backup nogroup ''
expect_may read-write may_as backup games ''
expect_may read-only may_as nobody games '' readers
expect_may nothing may_as nobody games '' v4
expect_may nothing may_as root root ''
for name in vol v4; do expect_may read-write may_from 127.0.0.2 "$tcp:$port/$name"; done
before=$SECONDS
raw_python - "$tcp:$port/vol" "$port" <<'END'
import socket, sys
from what_may import connect, what_may
place = [connect(sys.argv[1], "127.0.0.2")]
for number in range(500):
    with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as stranger:
        assert stranger.recv(1) == b"", "a stranger was greeted"
place.append(connect(sys.argv[1], "127.0.0.2"))
assert [what_may(each) for each in place] == ["read-write"] * 2
END
stop_server
lines=$(grep -c "denied at tcp://127.0.0.1:$port: .* lets in, found address 127.0.0.1, no TLS" server.log)
((lines > 0 && lines <= 12 + SECONDS - before)) || fail "$lines lines of 500 strangers"
