#!/usr/bin/env bash
# Shared direct I/O cannot read, modify and write blocks, since others may write them meanwhile. So a
# segment that moves requests off the blocks of its device is refused, and a small write fails.
source "$(dirname "$0")/../support/functions.sh"
requires qemu-io
requires_python nbd
workdir

truncate --size 1M disk.img
config() { # OFFSET
    cat <<END
{"listen": ["unix://$PWD/nbd.sock"], "exports": [{"name": "", "claim": "shared", "cache": "direct",
 "table": [{"kind": "linear", "device": "$PWD/disk.img", "offset": $1, "length": "64KiB"}]}]}
END
}
config 8 >odd.json
code=0
timeout 100 "$INTERPOSED" odd.json 2>said || code=$?
expect_eq "$code" 1 "exit status ($(<said))"
grep -q 'want start, length and offset in multiples of' said || fail "it says: $(<said)"

config 65536 >even.json
start_server even.json
uri="nbd+unix:///?socket=$PWD/nbd.sock"
qemu-io -f raw -c 'write -P 1 0 65536' "$uri"
/usr/bin/python3 - "$uri" <<'END'
import sys, nbd
client = nbd.NBD()
client.connect_uri(sys.argv[1])
client.set_strict_mode(0)
try:
    client.pwrite(b"x", 1)
    sys.exit("a write of one byte was accepted")
except nbd.Error as refused:
    assert refused.errno == "EINVAL", refused
END
expect_eq "$(tail -c +65537 disk.img | head -c 65536 | tr -d '\1' | wc -c)" 0 'bytes that changed'
