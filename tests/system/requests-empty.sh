#!/usr/bin/env bash
# Requests of no bytes succeed, wherever they are inside an export, and do nothing; BLOCK_STATUS
# alone has no answer to give. However replies are framed, and whatever the export lies on.
source "$(dirname "$0")/../support/functions.sh"
workdir

head -c 1M /dev/urandom | tee odd.img disk.img >before.img
truncate -s 1000003 odd.img
loop_on disk.img --sector-size 4096
cat >config.json <<END
{"listen": ["unix://$PWD/nbd.sock"], "exports": [
  {"name": "odd", "table": [{"kind": "linear", "device": "odd.img"}]},
  {"name": "disk", "claim": "shared", "table": [{"kind": "linear", "device": "$loop"}]}]}
END
start_server config.json

for name in odd disk; do
    raw_python - "nbd+unix:///$name?socket=$PWD/nbd.sock" <<'END'
import sys
from raw_client import enter, wire

for framing in ({}, {"structured": True}, {"extended": True}):
    c = enter(sys.argv[1], contexts=["base:allocation"] if framing else [], **framing)
    for flags in (0, wire.CMD_FLAG_FUA):
        payload = wire.CMD_FLAG_PAYLOAD_LEN if c.extended else 0
        for offset in (0, 4096, c.size // 8192 * 4096, c.size):
            for command in (wire.CMD_READ, wire.CMD_TRIM, wire.CMD_WRITE_ZEROES, wire.CMD_CACHE):
                reply = c.expect_ok(command, offset, 0, flags)
                assert not reply.data and not reply.extents, reply
            c.expect_ok(wire.CMD_WRITE, offset, 0, flags | payload)
            c.expect(wire.EINVAL, wire.CMD_BLOCK_STATUS, offset, 0, flags)
        for offset in (c.size + 4096, (1 << 64) - 4096, (1 << 64) - 1):
            c.expect(wire.EINVAL, wire.CMD_READ, offset, 0, flags)
            c.expect(wire.ENOSPC, wire.CMD_WRITE, offset, 0, flags | payload)
END
done
stop_server
cmp before.img disk.img
cmp --bytes=1000003 before.img odd.img
