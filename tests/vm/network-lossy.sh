#!/usr/bin/env bash
# A network that loses packets, doubles them and brings them in another order: several clients write
# and read at once over IPv4 and IPv6, with simple and structured replies, and each byte of what they
# read and of what lies on the disk is the right one; so it is for fio, which verifies.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/network.sh"
in_machine --disk 64M

make_there 0
truncate -s 32M fio.img
listen_too='"tcp://198.18.0.1", "tcp://[fd18:0::1]"' serve_exports \
    "$(volume vol "$(linear /dev/vdc)"), $(volume fio "$(linear "$work/fio.img")")"
disturb 0 loss 1% duplicate 1% delay 3ms 2ms reorder 20%
load_in=(ip netns exec there)
start_load 8 "nbd://198.18.0.1/vol" "--simple nbd://198.18.0.1/vol" "nbd://[fd18:0::1]/vol" \
    "--simple nbd://[fd18:0::1]/vol"
there fio --output=fio.txt --name=verify --ioengine=nbd --uri='nbd://[fd18:0::1]/fio' --size=32M \
    --io_size=8M --rw=randrw --bsrange=512-128k --bs_unaligned=1 --iodepth=16 --randseed=7 \
    --verify=crc32c --verify_fatal=1 --do_verify=1 || fail "$(<fio.txt)"
grep -q 'err= 0' fio.txt || fail "$(<fio.txt)"
stop_load
cat part-{0,1,2,3}.img | cmp -n $((32 << 20)) - /dev/vdc
tc -s qdisc show dev veth0 | grep -qE 'dropped [1-9]' || fail 'nothing was lost'
undisturbed 0
stop_server
