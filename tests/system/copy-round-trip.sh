#!/usr/bin/env bash
# nbdcopy with several connections, in and out of three unaligned segments: the bytes come back,
# and lie in the files where the table says.
source "$(dirname "$0")/../support/functions.sh"
requires nbdcopy
workdir

head -c 33333333 /dev/urandom >data.img
truncate -s 10000001 a.img
truncate -s 30000000 b.img
cat >config.json <<END
{
  "listen": ["unix://$PWD/nbd.sock"],
  "exports": [
    {"name": "", "table": [
      {"kind": "linear", "device": "b.img", "offset": 20000000, "length": 9999999},
      {"kind": "linear", "device": "a.img", "length": 10000001},
      {"kind": "linear", "device": "b.img", "offset": 777, "length": 13333333}
    ]}
  ]
}
END
start_server config.json
uri="nbd+unix:///?socket=$PWD/nbd.sock"

nbdcopy --connections=4 --flush data.img "$uri"
nbdcopy --connections=4 "$uri" copy.img
cmp data.img copy.img
stop_server

cmp -n 9999999 -i 20000000:0 b.img data.img
cmp -n 10000001 -i 0:9999999 a.img data.img
cmp -n 13333333 -i 777:20000000 b.img data.img
cmp -n 777 b.img /dev/zero
