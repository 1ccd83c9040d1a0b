#!/usr/bin/env bash
# The kernel's client attaches over TLS, with a certificate, to a server on another machine that
# insists on it; without one it is refused. What is written is there afterwards.
source "$(dirname "$0")/../support/vm.sh"

on_host() {
    source "$tests/support/tls.sh"
    make_certificates
    truncate -s 64M vol.img
    port=$(free_port)
    listen_too="\"tcp://127.0.0.1:$port\""
    serve_exports "$(volume vol "$(linear "$work/vol.img")")" \
        "\"tls\": {$server_certificate, $client_authority}"
    machine_options+=(--set "port=$port"
        --set "client=$(tar --create --directory=certs/client-alice . | base64 --wrap=0)")
}
on_host_afterwards() {
    e2fsck -fn vol.img || fail 'the image is damaged'
    stop_server
}
in_machine

base64 --decode <<<"$client" | tar --extract
with=(-N vol -x -cacertfile ca-cert.pem -tlshostname localhost)
! nbd-client "${with[@]}" 10.0.2.2 "$port" /dev/nbd0 >said.txt 2>&1 ||
    ! eventually 5 is_attached /dev/nbd0 || fail "attached without a certificate: $(<said.txt)"
attach /dev/nbd0 "${with[@]}" -certfile client-cert.pem -keyfile client-key.pem 10.0.2.2 "$port"
make_filesystem ext4 /dev/nbd0 mnt
start_writer mnt/file
writers_go_on 100
stop_writers
umount mnt
expect_clean ext4 /dev/nbd0
detach /dev/nbd0
