#!/usr/bin/env bash
# One client reads what another writes at the same time to the same export, and may not write itself:
# not after a swap of the table either. The sessions tell who may what.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/access.sh"
source "$tests/support/control.sh"
requires nbdcopy qemu-io
workdir

truncate -s 1M vol.img next.img
port=$(free_port) rules='"allow": ["unix", {"address": "127.0.0.1", "access": "read_only"}]'
listen_too="\"tcp://127.0.0.1:$port\"" serve_exports \
    "$(volume vol "$(linear "$work/vol.img")" "$rules")"
tcp=nbd://127.0.0.1:$port/vol
expect_eq "$(of "r['exports'][0]['allow']" status vol)" \
    "['unix', {'access': 'read_only', 'address': '127.0.0.1'}]"
expect_in "$(ctl status vol)" 'clients: unix; address 127.0.0.1, read-only'
control_python - "$tcp" "$work/next.img" <<'END'
import sys
from control_client import Control, uri
from what_may import connect, what_may
control, writer, reader = Control(), connect(uri()), connect(sys.argv[3], "127.0.0.1")
for image in sys.argv[4], None:
    for byte in b"abc":
        writer.pwrite(bytes([byte]) * 65536, 0)
        assert reader.pread(65536, 0) == bytes([byte]) * 65536
        assert what_may(reader) == "read-only" and what_may(writer) == "read-write"
    sessions = control.call("session.list", export="vol")["sessions"]
    assert sorted(s["read_only"] for s in sessions) == [False, True], sessions
    if image:
        table = {"table": [{"kind": "linear", "device": image}]}
        control.call("export.load", name="vol", definition=table)
        control.call("export.resume", name="vol")
END
! qemu-io -f raw -c 'write 0 4k' "$tcp" >out.txt 2>&1 || fail "qemu wrote: $(<out.txt)"
nbdcopy "$tcp" copy.img
cmp copy.img next.img
stop_server
