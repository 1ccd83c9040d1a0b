#!/usr/bin/env bash
# A server that hangs and wakes up beside its successor does not destroy what that has acknowledged:
# the successor waits for the lease, or for the claim. Without either it does, which proves the test.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/stale_server.sh"
in_machine --disk 16M

for fence in none lease claim; do
    [[ $fence == claim ]] && claim=exclusive || claim=shared
    modprobe nbd
    serve first "$claim"
    eventually 60 is_up first && first=$server
    put 0 # which looks for partitions
    kill -STOP "$first"
    put A & writing=$!
    eventually 60 gave_up || fail 'the kernel does not give up'
    [[ $fence != none ]] || rm /run/interposed/attachments/fenced.lease
    serve second "$claim"
    case $fence in
        none) wait "$writing"; put B; kill -CONT "$first"; eventually 30 woke_up ;;
        lease) eventually 60 is_up second; expect_in "$(<second.log)" 'held by another server' ;;
        claim) eventually 60 has_ended "$server"; expect_in "$(<second.log)" 'an exclusive claim' ;;
    esac
    if [[ $fence != none ]]; then
        kill_hard "$first"
        [[ $fence != claim ]] || serve third exclusive
        wait "$writing"
        put B
    fi
    [[ $fence == none ]] && wanted=A || wanted=B
    expect_eq "$(stored)" $wanted "what is on the disk, with the fence: $fence"
    kill_hard "$first" || true
    kill_hard "$server" || true
    nbd-client -d /dev/nbd0 >/dev/null
    eventually 30 is_detached /dev/nbd0; modprobe -r nbd; dmesg -C
done
