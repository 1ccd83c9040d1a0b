#!/usr/bin/env bash
# Random operations from several connections on a table over two files and a loop device, compared
# byte by byte with a plain array; and once more after a restart, and with a direct-I/O table.
source "$(dirname "$0")/../support/functions.sh"
requires_python nbd
workdir

truncate -s 3000001 a.img
truncate -s 2M disk.img
truncate -s 4000003 b.img
loop_on disk.img
cat >config.json <<END
{
  "listen": ["unix://$PWD/nbd.sock"],
  "exports": [{"name": "", "table": [
    {"kind": "linear", "device": "a.img", "offset": 512, "length": "2MiB"},
    {"kind": "linear", "device": "$loop", "offset": "512KiB", "length": "1MiB"},
    {"kind": "linear", "device": "b.img", "offset": 1, "length": 3000320}
  ]}]
}
END
compare() { # SEED TURNS
    start_server config.json
    /usr/bin/python3 "$tests/support/random_operations.py" \
        "nbd+unix:///?socket=$PWD/nbd.sock" model.bin "$@"
    stop_server
}
for seed in 1 2 3; do compare "$seed" 1500; done
compare 0 0   # after the last restart: only the comparison

# What lies around the segments was never touched.
cmp -n 512 a.img /dev/zero
cmp -i $((512 + (2 << 20))) a.img /dev/zero 2>&1 | grep -q 'EOF on a.img'
cmp -n 1 b.img /dev/zero
cmp -n $((512 << 10)) disk.img /dev/zero
cmp -i $((1536 << 10)) disk.img /dev/zero 2>&1 | grep -q 'EOF on disk.img'
