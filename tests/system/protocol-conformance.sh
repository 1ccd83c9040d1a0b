#!/usr/bin/env bash
# Every rule of the protocol that can be seen from outside, in raw bytes. What the server is known
# not to have is named here; a scenario that does not apply for another reason is a failure.
source "$(dirname "$0")/../support/functions.sh"
workdir
suite=$tests/conformance

truncate -s 40M main-1.img
truncate -s 96M main-2.img
truncate -s 1M default.img read-only.img
truncate -s 1000003 odd.img
truncate -s 8G large.img
cp "$suite/interposed.json" .
start_server interposed.json

lacks=(minimum-block)         # single bytes can be written
lacks+=(tls tls-required tls-only-export) # protocol-conformance-tls
lacks+=(no-default-export)    # see below
play() { # OPTION...
    "$suite/run" --timeout 30 --server "$PWD/nbd.sock" --export main --needs all "$@" >found.txt ||
        fail "$(cat found.txt)"
    tail -n 1 found.txt
}
play --size $((96 << 20)) --default-size $((1 << 20)) --read-only-export read-only:$((1 << 20)) \
    --odd-export odd:1000003 --large-export large:$((8 << 30)) "${lacks[@]/#/--lacks=}"
stop_server

grep -v '"name": ""' "$suite/interposed.json" >interposed.json   # several exports, no default
start_server interposed.json
play --size $((96 << 20)) --no-default-export --only no_default_export
stop_server

# The only export is the default one as well.
start_server --export main --listen "unix://$PWD/nbd.sock" main-2.img
play --size $((96 << 20)) --default-size $((96 << 20)) --only IG-05
stop_server
