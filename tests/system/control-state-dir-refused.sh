#!/usr/bin/env bash
# Two servers do not share a state_dir, and a record in it that cannot be understood is named, instead
# of serving without it.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires nbdinfo
workdir

truncate -s 8M a.img b.img
serve_exports "$(volume vol "$(linear "$work/a.img")")" '"state_dir": "state"'
ctl create <(volume new "$(linear "$work/b.img" 0 2048)" '"description": "née à midi"')
sed 's/nbd.sock/other.sock/; s/control.sock/2.sock/' config.json >second.json
expect_refusal() { # CONFIG TEXT
    ! timeout 100 "$INTERPOSED" "$1" 2>refused.log || fail "served: $2"
    expect_in "$(<refused.log)" "$2"
}
expect_refusal second.json "state\": another server uses it"
expect_eq "$(nbdinfo --size "$(uri new)")" 1048576
stop_server
record=$(grep -l née state/*.json)
for damage in 's/created/invented/' 's/"format":1/"format":9/' 's/linear/bent/' '$d' 's/.$//'; do
    cp "$record" kept
    sed -i "$damage" "$record"
    expect_refusal config.json "$record"
    cp kept "$record"
done
: >"$record"
expect_refusal config.json "$record"
