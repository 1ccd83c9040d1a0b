#!/usr/bin/env bash
# Listeners on an address of each interface, link-local ones too, which are the same on two of them; on
# a name that means several addresses; and on all of both families. Link-local clients are told apart
# by their links; and the kernel's own client attaches over such an address.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/network.sh"
in_machine

make_there 0 1
truncate -s 16M vol.img
printf '198.18.0.1 store\nfd18:1::1 store\n' >>/etc/hosts
listen_too='"tcp://[fe80::1%veth0]:1", "tcp://[fe80::1%veth1]:1", "tcp://store:2", "tcp://0.0.0.0:3",
    "tcp://[::]:3", "tcp://[::]:4"' \
    serve_exports "$(volume vol "$(linear "$work/vol.img")")" '"limits": {"connections_per_client": 1}'
comes_in() { # HOST PORT
    there /usr/bin/python3 -c 'import sys, nbd
client = nbd.NBD()
client.set_export_name("vol")
client.connect_tcp(*sys.argv[1:])
assert client.get_size() == 16 << 20 and not any(client.pread(4096, 0))' "$@" 2>refused.txt
}
for to in '1 fe80::1%peer0 fe80::1%peer1' '2 198.18.0.1 fd18:1::1' '4 fd18:0::1 fe80::1%peer1' \
    '3 198.18.0.1 198.18.1.1 fd18:0::1 fd18:1::1 fe80::1%peer0 fe80::1%peer1'; do
    for host in ${to#* }; do eventually 60 comes_in "$host" "${to%% *}" || fail "$host $to: $(<refused.txt)"; done
done
! comes_in 198.18.1.1 4 || fail 'IPv4 comes in by the addresses of IPv6'
! comes_in fd18:0::1 2 || fail 'it listens on more than the name means'

modprobe nbd
for link in 0 1; do
    eventually 60 has_connections vol "$link"
    # Without netlink, which nbd knows in the first network namespace only.
    there nbd-client -nonetlink -N vol "fe80::1%peer$link" 1 "/dev/nbd$link" >attach.log 2>&1 || fail "$(<attach.log)"
    at_exit nbd-client -d "/dev/nbd$link"
    eventually 60 is_attached "/dev/nbd$link" || fail "link $link: not attached"
    ! comes_in "fe80::1%peer$link" 1 || fail 'a client has two connections'
done
ctl disconnect --client fe80::2%veth1
eventually 60 has_connections vol 1 || fail 'the client of the other link was disconnected too'
expect_in "$(ctl sessions)" '[fe80::2%veth0]:'
