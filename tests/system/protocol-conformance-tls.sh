#!/usr/bin/env bash
# Every rule of the protocol that can be seen from outside, inside TLS; and those about TLS itself,
# where it is offered and where it is required.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/tls.sh"
workdir
suite=$tests/conformance

make_certificates
truncate -s 40M main-1.img
truncate -s 96M main-2.img
truncate -s 1M default.img read-only.img secret.img
truncate -s 1000003 odd.img
truncate -s 8G large.img
sed -e 's#{"unix": "nbd.sock"}#&, {"unix": "required.sock", "tls": "require"}#' \
    -e 's#^  "exports": \[#  "tls": {"mode": "offer", '"$server_certificate"'},\n&\n    {"name": "secret", "tls": "require", "table": [{"kind": "linear", "device": "secret.img"}]},#' \
    "$suite/interposed.json" >interposed.json
start_server interposed.json

lacks=(minimum-block no-default-export no-tls)
"$suite/run" --timeout 30 --server "$PWD/nbd.sock" --export main --needs all --size $((96 << 20)) \
    --default-size $((1 << 20)) --read-only-export read-only:$((1 << 20)) \
    --odd-export odd:1000003 --large-export large:$((8 << 30)) --tls-only-export secret:$((1 << 20)) \
    --tls certs/ca-cert.pem --tls-required "$PWD/required.sock" "${lacks[@]/#/--lacks=}" >found.txt ||
    fail "$(cat found.txt)"
tail -n 1 found.txt
stop_server
