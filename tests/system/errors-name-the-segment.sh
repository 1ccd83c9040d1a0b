#!/usr/bin/env bash
# A device that fails under a request: the client hears EIO with the segment and the offset and no
# path of this host, the log has the path, and the connection goes on.
source "$(dirname "$0")/../support/functions.sh"
requires_python nbd
workdir

truncate -s 1M a.img secret.img
start_server --listen "unix://$PWD/nbd.sock" a.img secret.img
truncate -s 64K secret.img   # behind the server's back

/usr/bin/python3 - "nbd+unix:///?socket=$PWD/nbd.sock" <<'END'
import errno, sys, nbd
client = nbd.NBD()
heard = []
client.set_debug(True)
client.set_debug_callback(lambda context, message: heard.append(message) and 0 or 0)
client.connect_uri(sys.argv[1])
try:
    client.pread(4096, (1 << 20) + 500000)
    raise AssertionError("bytes that are not there were read")
except nbd.Error as error:
    assert error.errnum == errno.EIO, error
told = [message for message in heard if "segment" in message]
assert told and "1" in told[0], heard
assert not any("secret" in message for message in heard), heard
assert client.pread(4096, 0) == bytes(4096)
END
eventually 30 grep -q 'secret.img' server.log || fail "the log does not name the device: $(cat server.log)"
stop_server
