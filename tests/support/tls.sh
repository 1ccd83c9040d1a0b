# shellcheck shell=bash
# What the tests of TLS share, on top of functions.sh and control.sh.
requires openssl

# Makes certs/: an authority, a server's certificate, clients "alice" and "bob" with certificates,
# and "carol" with a pre-shared key.
make_certificates() {
    "$tests/../tools/interposed-tls-init" certs --server localhost --server 127.0.0.1 --server ::1 \
        --client alice --client bob --psk carol >certs.txt || fail 'no certificates'
    mkdir psk-dir
    cp certs/psk-carol psk-dir/keys.psk
}

# The members of "tls".
server_certificate='"certificate": "certs/server/server-cert.pem", "key": "certs/server/server-key.pem"'
client_authority='"ca": "certs/server/ca-cert.pem"'
pre_shared_keys='"psk": "certs/server/keys.psk"'

# Serves vol.img as "vol", at nbd.sock and at `port` of 127.0.0.1.
serve_over_tls() { # MEMBERS-OF-TLS [KEYS]
    listen_too='"tcp://127.0.0.1:0"'
    serve_exports "$(volume vol "$(linear "$work/vol.img")")" "\"tls\": {$1}${2:+, $2}"
    port=$(sed -nE 's#.*listening on tcp://127.0.0.1:([0-9]+)$#\1#p' server.log)
}
descriptors() { find "/proc/$server/fd" -type l | wc -l; }
has_descriptors() { (($(descriptors) <= $1)); } # NUMBER

# URIs of libnbd's clients, for the Unix socket.
as_certificate() { # CLIENT
    echo "nbds+unix:///vol?socket=$work/nbd.sock&tls-certificates=$work/certs/client-$1"
}
as_psk() { echo "nbds+unix://${1-carol}@/vol?socket=$work/nbd.sock&tls-psk-file=$work/psk-dir/keys.psk"; }

# A client that reads all the time, until stop_bystander: it must not have noticed anything.
start_bystander() { # CLIENT
    /usr/bin/python3 - "$(as_certificate "$1")" <<'END' &
import os, sys, nbd
client = nbd.NBD()
client.set_uri_allow_local_file(True)
client.connect_uri(sys.argv[1])
open("bystander", "w")
while os.path.exists("bystander"):
    client.pread(512, 0)
client.shutdown()
END
    bystander=$!
    eventually 30 test -e bystander || fail 'the bystander is not let in'
}
stop_bystander() {
    rm bystander
    wait "$bystander" || fail 'the bystander noticed'
}

expect_in_vain() { # COMMAND...
    ! timeout 60 "$@" >vain.txt 2>&1 || fail "want this to fail: $*; found: $(cat vain.txt)"
}

# Writes a list of these certificates, which are not valid any more.
revocation_list() { # FILE CERTIFICATE...
    local certificate
    printf '%s\n' '[ca]' 'default_ca = it' '[it]' "database = $work/index" 'default_md = sha256' \
        'default_crl_days = 30' >ca.conf
    local ca=(openssl ca -config ca.conf -keyfile certs/ca-key.pem -cert certs/ca-cert.pem)
    : >>index
    for certificate in "${@:2}"; do
        "${ca[@]}" -revoke "$certificate" 2>openssl.log || fail "$(<openssl.log)"
    done
    "${ca[@]}" -gencrl -out "$1" 2>openssl.log || fail "$(<openssl.log)"
}

# A row of a table: whether a client comes in, which it should or should not.
row() { # CLIENT WITH in|out COMMAND...
    local found=out
    ! timeout 60 "${@:4}" >said.txt 2>&1 || found=in
    printf '%-24s %-22s %s\n' "$1" "$2" "$found"
    expect_eq "$found" "$3" "$1 with $2: $(<said.txt)"
}
