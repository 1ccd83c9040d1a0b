#!/usr/bin/env bash
# A server that hangs and wakes up beside its successor does not destroy what that has acknowledged:
# the successor waits for the lease, or for the claim. Without either it does, which proves the test.
source "$(dirname "$0")/../support/vm.sh"
in_machine --disk 16M

serve() { # NAME CLAIM [OPTION]: as `server`, with a log of its own
    cat >"$1.json" <<END
{"listen": ["unix://$work/$1.sock"], "exports": [{"name": "vol", "claim": "$2", "cache": "direct",
 "attach": {"device": "/dev/nbd0", "timeout_s": 2, "identifier": "fenced"},
 "table": [$(linear /dev/vdc)]}]}
END
    "$INTERPOSED" "$1.json" 2>"$1.log" &
    server=$!
    at_exit kill_hard "$server"
}
ready() { grep -qx ready "$1.log"; } # NAME
put() { head -c 4096 /dev/zero | tr '\0' "$1" | dd of=/dev/nbd0 bs=4096 oflag=direct status=none; }
stored() { dd if=/dev/vdc bs=512 count=1 iflag=direct status=none | head -c 1; }
woke_up() { grep -q "requests, .* written" first.log; }

for fence in none lease claim; do
    claim=shared
    [[ $fence != claim ]] || claim=exclusive
    modprobe nbd
    serve first "$claim"
    eventually 60 ready first
    first=$server
    put 0 # which looks for partitions
    kill -STOP "$first"
    put A & writing=$!
    eventually 60 eval 'dmesg | grep -q "Connection timed out"' || fail 'the kernel does not give up'
    [[ $fence != none ]] || rm /run/interposed/attachments/fenced.lease
    serve second "$claim"
    case $fence in
        none) wait "$writing"; put B; kill -CONT "$first"; eventually 30 woke_up; wanted=A ;;
        lease) eventually 60 ready second; expect_in "$(<second.log)" 'held by another server'
            kill_hard "$first"; wait "$writing"; put B; wanted=B ;;
        claim) eventually 60 has_ended "$server"; expect_in "$(<second.log)" 'want an exclusive claim'
            kill_hard "$first"; serve third exclusive; wait "$writing"; put B; wanted=B ;;
    esac
    expect_eq "$(stored)" "$wanted" "what is on the disk, with the fence: $fence"
    kill_hard "$first"; kill_hard "$server"; nbd-client -d /dev/nbd0 >/dev/null
    eventually 30 is_detached /dev/nbd0; modprobe -r nbd; dmesg -C
done
