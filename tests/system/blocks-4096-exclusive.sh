#!/usr/bin/env bash
# A disk of 4096-byte blocks that is ours alone takes requests of any size at any place, also those
# of clients that think in sectors: no byte beside them changes.
source "$(dirname "$0")/../support/functions.sh"
requires nbdinfo qemu-io
requires_python nbd
workdir

truncate -s 2M disk.img
loop_on disk.img --sector-size 4096
cat >config.json <<END
{"listen": ["unix://$PWD/nbd.sock"], "exports": [
  {"name": "", "cache": "direct", "claim": "exclusive", "table": [
    {"kind": "linear", "device": "$loop", "offset": "1MiB", "length": "512KiB"},
    {"kind": "linear", "device": "$loop", "offset": "64KiB", "length": "512KiB"}]}]}
END
start_server config.json
uri="nbd+unix:///?socket=$PWD/nbd.sock"
expect_in "$(nbdinfo --no-content --json "$uri")" '"block_size_minimum": 1,'

qemu-io -f raw "$uri" >log.txt 2>&1 <<'END'
write -P 0x55 523776 1024
write -z 523776 512
read -P 0 523776 512
read -P 0x55 524288 512
END
expect_eq "$(grep -cE '(read|wrote) (512/512|1024/1024)' log.txt)" 4 "what was answered: $(<log.txt)"

# At the beginning, on an edge of blocks, within a block, where one segment ends, and at the end.
/usr/bin/python3 "$tests/support/odd_requests.py" "$uri" 1 model.img 0 65536 100000 524288 1048576
stop_server

# The first 64 KiB of the disk, the second segment, what lies between them, the first segment.
{
    head -c 65536 /dev/zero
    tail -c 524288 model.img
    head -c 458752 /dev/zero
    head -c 524288 model.img
    head -c 524288 /dev/zero
} | cmp - disk.img
