#!/usr/bin/env bash
# Every rule of the protocol once more, on a disk of 4096-byte blocks that others may use as well:
# what is not whole blocks is refused, and so the rules for a minimum block apply.
source "$(dirname "$0")/../support/functions.sh"
workdir
suite=$tests/conformance

truncate -s 98M disk.img
loop_on disk.img --sector-size 4096
truncate -s 1000003 odd.img
truncate -s 8G large.img
export_of() { # NAME OFFSET LENGTH [MORE]
    printf '{"name": "%s", "claim": "shared", "cache": "direct"%s, "table":' "$1" "${4:+, $4}"
    printf ' [{"kind": "linear", "device": "%s", "offset": "%s", "length": "%s"}]},\n' \
        "$loop" "$2" "$3"
}
cat >config.json <<END
{
  "listen": ["unix://$PWD/nbd.sock"],
  "exports": [
    $(export_of main 1MiB 96MiB '"description": "an export for the conformance suite"')
    $(export_of '' 0MiB 1MiB)
    $(export_of read-only 97MiB 1MiB '"read_only": true')
    {"name": "odd", "table": [{"kind": "linear", "device": "odd.img"}]},
    {"name": "large", "table": [{"kind": "linear", "device": "large.img"}]}
  ]
}
END
start_server config.json

"$suite/run" --timeout 30 --sector-size 4096 --server "$PWD/nbd.sock" --export main \
    --size $((96 << 20)) --default-size $((1 << 20)) --read-only-export read-only:$((1 << 20)) \
    --odd-export odd:1000003 --large-export large:$((8 << 30)) \
    --needs all --lacks no-default-export --lacks tls --lacks tls-required --lacks tls-only-export >found.txt || fail "$(cat found.txt)"
grep -q '^pass *RQ-09' found.txt || fail "no minimum block: $(cat found.txt)"
tail -n 1 found.txt
stop_server
