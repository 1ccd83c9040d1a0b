#!/usr/bin/env bash
# An optional export whose device is absent is left out with a warning that names it; a mandatory
# one keeps the server from starting.
source "$(dirname "$0")/../support/functions.sh"
requires nbdinfo
workdir

truncate -s 1M a.img
config() { # OPTIONAL
    cat <<END
{
  "listen": ["unix://$PWD/nbd.sock"],
  "exports": [
    {"name": "here", "table": [{"kind": "linear", "device": "a.img"}]},
    {"name": "away", "optional": $1, "table": [{"kind": "linear", "device": "absent.img"}]}
  ]
}
END
}
config true >config.json
"$INTERPOSED" --check config.json
start_server config.json
grep -q 'away.*absent.img\|absent.img.*away' server.log || fail "$(cat server.log)"
nbdinfo --size "nbd+unix:///here?socket=$PWD/nbd.sock"
! nbdinfo --size "nbd+unix:///away?socket=$PWD/nbd.sock" || fail "an absent device is served"
expect_eq "$(nbdinfo --list "nbd+unix:///?socket=$PWD/nbd.sock" | grep -c '^export=')" 1 "exports"
stop_server

config false >config.json
code=0
"$INTERPOSED" config.json 2>err.txt || code=$?
expect_eq "$code" 1 "exit status"
grep -q absent.img err.txt || fail "$(cat err.txt)"
[[ ! -e nbd.sock ]] || fail "something was bound"
