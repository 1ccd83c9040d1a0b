#!/usr/bin/env bash
# A reload also changes what needs no new table: limits, descriptions, who may come, how many and
# how fast, and what is logged; connections that there are stay.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires nbdinfo
requires_python nbd
workdir
truncate -s 4M vol.img grows.img
port=$(free_port)
change() { # KEYS-OF-VOL [KEYS]
    listen_too="\"tcp://127.0.0.1:$port\"" write_exports \
        "$(volume vol "$(linear "$work/vol.img")" "$1"), $(volume grows "$(linear "$work/grows.img")")" "${2:-}"
    $how
}
tcp=nbd://127.0.0.1:$port
size() { nbdinfo --size "$1" 2>/dev/null || echo none; }
is_served() { [[ $(size "$1") == 4194304 ]]; }
comes_in() { eventually 30 is_served "$1" || fail "$1: turned away"; } # when others have left
how=: change '"description": "one"'
start_server config.json
start_load 1 "$(uri)" "--simple $(uri)" "--at 0 $(uri grows)" "--at 1 $tcp/grows"
for how in hang_up 'ctl reload'; do
    change '"description": "two"'
    nbdinfo "$(uri)" | grep -q 'description: two' || fail 'clients get the description of before'
    change '"allow": ["unix"]'
    expect_eq "$(size "$tcp/vol") $(size "$tcp/grows")" 'none 4194304'
    change '"allow": ["unix", "127.0.0.1"]' && comes_in "$tcp/vol"
    change '"max_connections": 2'
    expect_eq "$(size "$(uri)") $(status_of vol max_connections)" 'none 2'
    change '"max_connections": 3' && comes_in "$(uri)"
    change '' '"limits": {"connections": 4}'
    expect_eq "$(size "$(uri)") $(size "$tcp/vol")" 'none none'
    change '' '"log": {"level": "debug"}' && comes_in "$(uri)"
    change '"qos": {"iops": 5000000}'
    expect_eq "$(of "r['exports'][0]['qos']['iops']" status vol) $(of "r['level']" log)" '5000000 info'
    expect_eq "$(status_of vol generation) $(status_of vol changed)" '1 False'
done
stop_load
stop_server
