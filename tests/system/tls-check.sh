#!/usr/bin/env bash
# Whatever is wrong with the files of "tls" is said before anything is served, all at once and each
# with its place; secrets that others can read are warned of.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/tls.sh"
workdir

make_certificates
truncate -s 1M vol.img
check() { # MEMBERS-OF-TLS STATUS: what it says is in said.txt
    local code=0
    write_exports "$(volume vol "$(linear "$work/vol.img")")" "\"tls\": {$1}"
    "$INTERPOSED" --check config.json >said.txt 2>&1 || code=$?
    expect_eq "$code" "$2" "exit status ($(<said.txt))"
}
check "$server_certificate, $client_authority, $pre_shared_keys" 0
! grep -q warning said.txt || fail "$(<said.txt)"
chmod 644 certs/server/server-key.pem certs/server/keys.psk
check "$server_certificate, $pre_shared_keys" 0
expect_eq "$(grep -c 'warning: file ".*": want secrets that others cannot read' said.txt)" 2

check '"certificate": "no.pem", "key": "certs/server/keys.psk", "ca": "certs/server/server-key.pem",
 "crl": "vol.img", "psk": "config.json"' 1
for place in certificate key ca crl psk; do
    grep -q "^config.json:[0-9]*:[0-9]*: tls.$place: \"$work/" said.txt || fail "$place: $(<said.txt)"
done
expect_in "$(<said.txt)" 'tls.certificate: '
expect_in "$(<said.txt)" "no.pem\": No such file or directory"

check '"certificate": "certs/server/server-cert.pem", "key": "certs/client-bob/client-key.pem"' 1
expect_in "$(<said.txt)" 'key values mismatch'
openssl ec -aes128 -passout pass:secret -in certs/server/server-key.pem -out locked.pem 2>openssl.log
check '"certificate": "certs/server/server-cert.pem", "key": "locked.pem"' 1
expect_in "$(<said.txt)" 'tls.key: '
! grep -q "$(cut -d: -f2 certs/server/keys.psk)" said.txt || fail 'a secret was printed'
