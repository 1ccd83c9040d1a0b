#!/usr/bin/env bash
# --check of a wrong configuration prints every fault with its line, column and path, and ends with
# status 1; so does starting with it, and then nothing is bound.
source "$(dirname "$0")/../support/functions.sh"
workdir

truncate -s 1M a.img
cat >config.json <<END
{
  "listen": ["unix://$PWD/nbd.sock"],
  "exports": [
    {"name": "a", "claims": "shared", "table": [{"kind": "linear", "device": "a.img"}]},
    {"name": "b", "claim": "maybe", "table": [{"kind": "linear", "device": "a.img", "offset": "1XB"}]},
    {"name": "b", "table": []}
  ]
}
END
code=0
"$INTERPOSED" --check config.json >out.txt 2>&1 || code=$?
expect_eq "$code" 1 "exit status"
for fault in 'config.json:4:[0-9]*:.*claims.*claim' 'config.json:5:[0-9]*:.*exports\[1\].claim.*maybe' \
    'config.json:5:[0-9]*:.*exports\[1\].table\[0\].offset.*1XB' 'config.json:6:[0-9]*:.*exports\[2\]'; do
    grep -q "$fault" out.txt || fail "no line matches $fault in: $(cat out.txt)"
done
code=0
"$INTERPOSED" config.json >out.txt 2>&1 || code=$?
expect_eq "$code" 1 "exit status"
[[ ! -e nbd.sock ]] || fail "something was bound"

code=0   # and what only the device can tell
sed 's/{"name": "a".*/{"name": "a", "table": [{"kind": "linear", "device": "a.img", "length": "2MiB"}]}/
    /"b"/d' config.json >long.json
"$INTERPOSED" --check long.json >out.txt 2>&1 || code=$?
expect_eq "$code" 1 "exit status"
grep -q 'long.json:4:[0-9]*:.*table\[0\].*2097152.*1048576' out.txt || fail "$(cat out.txt)"
