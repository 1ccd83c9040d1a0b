#!/usr/bin/env bash
# qemu's clients (GnuTLS) come in over TLS, over TCP and Unix sockets, with certificates and with
# pre-shared keys, and write what others then find.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/tls.sh"
requires qemu-img qemu-io
workdir

make_certificates
truncate -s 16M vol.img
serve_over_tls "$server_certificate, $client_authority, $pre_shared_keys"
head -c 16M /dev/urandom >data
for credentials in "tls-creds-x509,id=t,endpoint=client,dir=$work/certs/client-alice" \
    "tls-creds-psk,id=t,endpoint=client,username=carol,dir=$work/psk-dir"; do
    for at in "server.type=inet,server.host=localhost,server.port=$port" \
        "server.type=unix,server.path=$work/nbd.sock,tls-hostname=localhost"; do
        image="driver=nbd,$at,export=vol,tls-creds=t"
        qemu-img convert -n -f raw --object "$credentials" --target-image-opts data "$image"
        cmp data vol.img
        qemu-io --object "$credentials" --image-opts "$image" -c 'write -P 7 1M 3M' -c flush \
            -c 'read -P 7 1M 3M' -c 'discard 1M 3M' -c 'read -P 0 1M 3M' >said.txt
        ! grep -q 'failed' said.txt || fail "$(<said.txt)"
        expect_eq "$(grep -c '3145728/3145728' said.txt)" 4 "$(<said.txt)"
    done
done
stop_server
