#!/usr/bin/env bash
# Who may use the control socket is decided by the peer's user and groups, also the supplementary
# ones, where the socket's permissions let everybody connect. Whoever may not is told so.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/peers.sh"
workdir

open_folder
serve_with '"mode": "0666"'
expect_eq "$(stat -c '%a %U' "$place/control.sock")" '666 root'
welcome 0 0
turned_away nobody nogroup
turned_away nobody 0 0,1,2,3
stop_server

serve_with '"mode": "0666", "users": ["daemon", "4711"], "groups": ["games", "815"]'
for user in daemon 4711; do welcome "$user" nogroup; done
for group in games 815; do
    welcome nobody "$group"
    welcome nobody nogroup "nogroup,$group,daemon"
    welcome nobody nogroup "$(seq -s, 20000 20200),$group"
done
turned_away nobody nogroup daemon
turned_away 4712 816 817,"$(seq -s, 20000 20200)"
welcome 0 0
stop_server

serve_with '"mode": "0660", "group": "games", "groups": ["games"]'
welcome nobody games
! as daemon nogroup >said || fail 'the permissions of the socket mean nothing'
expect_in "$(<said)" 'permission denied'
stop_server
