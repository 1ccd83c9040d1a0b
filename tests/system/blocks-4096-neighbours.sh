#!/usr/bin/env bash
# Small writes of several connections to one block of a disk all arrive, at once as they are, by
# whichever way: each is a read, a change and a write of the whole block.
source "$(dirname "$0")/../support/functions.sh"
requires_python nbd
workdir

truncate -s 1M disk.img
loop_on disk.img --sector-size 4096
cat >config.json <<END
{"listen": ["unix://$PWD/nbd.sock"], "exports": [
  {"name": "", "cache": "direct", "table": [{"kind": "linear", "device": "$loop"}]}]}
END
for option in '' --no-io-uring; do
    start_server ${option:+"$option"} config.json
    /usr/bin/python3 "$tests/support/neighbours.py" "nbd+unix:///?socket=$PWD/nbd.sock"
    stop_server
done
cmp --ignore-initial=12288 disk.img <(head -c 1M /dev/zero)   # nothing behind the three blocks
