# shellcheck shell=bash
# What the experiment with a stale server uses, on top of vm.sh: several servers of one attachment,
# and a block of the device that is written through the kernel and looked at below it.
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
is_up() { grep -qx ready "$1.log"; } # NAME
put() { head -c 4096 /dev/zero | tr '\0' "$1" | dd of=/dev/nbd0 bs=4096 oflag=direct status=none; }
stored() { dd if=/dev/vdc bs=512 count=1 iflag=direct status=none | head -c 1; }
gave_up() { dmesg | grep -q 'Connection timed out'; }
woke_up() { grep -q "requests, .* written" first.log; }
