#!/usr/bin/env bash
# Our load generator (OpenSSL) is let in by other servers (GnuTLS), by its certificate and not without.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/tls.sh"
requires nbdkit qemu-nbd
workdir

make_certificates
nbdload=$(dirname "$INTERPOSED")/bench/nbdload
[[ -e $nbdload ]] || skip 'want nbdload, of a build with benchmarks'
truncate -s 1M vol.img
nbdkit --foreground --exit-with-parent --unix nbdkit.sock --tls=require --tls-verify-peer \
    --tls-certificates=certs/server memory 1M &
at_exit kill_hard $!
qemu-nbd --persistent --socket="$work/qemu-nbd.sock" --export-name=vol --format=raw vol.img --tls-creds=t \
    --object="tls-creds-x509,id=t,endpoint=server,verify-peer=on,dir=certs/server" &
at_exit kill_hard $!
for other in nbdkit qemu-nbd; do
    eventually 30 test -S $other.sock || fail "no $other"
    load=("$nbdload" --requests 100 --export vol)
    row "nbdload, at $other" certificate in "${load[@]}" --tls certs/client-alice "unix:$work/$other.sock"
    row "nbdload, at $other" nothing out "${load[@]}" "unix:$work/$other.sock"
done
