#!/usr/bin/env bash
# Names that a URI must encode: spaces, slashes, percent signs, letters of any language.
source "$(dirname "$0")/../support/functions.sh"
requires nbdinfo
requires_python nbd
workdir

cat >config.json <<'END'
{"listen": "unix://nbd.sock", "exports": [
  {"name": "two words",  "table": [{"kind": "linear", "device": "a.img", "length": 4096}]},
  {"name": "/dir/disk",  "table": [{"kind": "linear", "device": "a.img", "offset": 4096, "length": 8192}]},
  {"name": "100% + ?#&", "table": [{"kind": "linear", "device": "a.img", "offset": 12288, "length": 12288}]},
  {"name": "диск",       "table": [{"kind": "linear", "device": "a.img", "offset": 24576, "length": 16384}]}
]}
END
sed -i "s|unix://nbd.sock|unix://$PWD/nbd.sock|" config.json
truncate -s 1M a.img
start_server config.json

size_of() { # NAME
    local path
    path=$(/usr/bin/python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1], safe="/"))' "$1")
    nbdinfo --size "nbd+unix:///$path?socket=$PWD/nbd.sock"
}
expect_eq "$(size_of 'two words')" 4096
expect_eq "$(size_of '/dir/disk')" 8192   # "nbd:////dir/disk": only the first slash is the URI's
expect_eq "$(size_of '100% + ?#&')" 12288
expect_eq "$(size_of 'диск')" 16384
stop_server
