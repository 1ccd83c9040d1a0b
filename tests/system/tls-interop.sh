#!/usr/bin/env bash
# Who understands whom over TLS, as a table: clients of GnuTLS and of OpenSSL, with certificates and
# pre-shared keys and without, come in or do not, as they should. nbd-client is in
# tests/vm/nbd-client-tls.sh.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/tls.sh"
requires nbdinfo nbdcopy qemu-img qemu-io
workdir

make_certificates
truncate -s 1M vol.img
serve_over_tls "$server_certificate, $client_authority, $pre_shared_keys"
nbdload=$(dirname "$INTERPOSED")/bench/nbdload
[[ -e $nbdload ]] || skip 'want nbdload, of a build with benchmarks'
x509="tls-creds-x509,id=t,endpoint=client,dir=$work/certs/client-alice"
psk="tls-creds-psk,id=t,endpoint=client,username=carol,dir=$work/psk-dir"
image="driver=nbd,server.type=inet,server.host=localhost,server.port=$port,export=vol"


row 'nbdinfo, GnuTLS' certificate in nbdinfo --size "$(as_certificate alice)"
row 'nbdinfo, GnuTLS' 'pre-shared key' in nbdinfo --size "$(as_psk)"
row 'nbdinfo, GnuTLS' 'unknown identity' out nbdinfo --size "$(as_psk mallory)"
row 'nbdinfo, GnuTLS' 'TLS alone' out nbdinfo --size "nbds+unix:///vol?socket=$work/nbd.sock"
row 'nbdinfo' nothing out nbdinfo --size "$(uri)"
row 'nbdcopy, GnuTLS' certificate in nbdcopy "$(as_certificate bob)" null:
row 'qemu-img, GnuTLS' certificate in qemu-img info --object "$x509" --image-opts "$image,tls-creds=t"
row 'qemu-img, GnuTLS' 'pre-shared key' in qemu-img info --object "$psk" --image-opts "$image,tls-creds=t"
row 'qemu-img' nothing out qemu-img info --image-opts "$image"
row 'qemu-io, GnuTLS' 'certificate' in qemu-io --object "$x509" --image-opts "$image,tls-creds=t" \
    -c 'write 0 64k'
for version in 1.2 1.3; do
    peer=("$tests/support/tls_peer.py" "$port" $version)
    row "Python, OpenSSL $version" certificate in "${peer[@]}" certs/client-alice
    row "Python, OpenSSL $version" 'TLS alone' out "${peer[@]}"
done
row 'nbdload, OpenSSL' certificate in "$nbdload" --requests 100 --export vol \
    --tls certs/client-alice "tcp:localhost:$port"
stop_server
