#!/usr/bin/env bash
# Reloading adds, changes and removes exports and listeners, by signal and by verb, and clients of
# exports that stay notice nothing, even where the table changes or their listener goes.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires nbdinfo
requires_python nbd
workdir
truncate -s 16M kept.img moved.img
truncate -s 1M gone.img new.img
port=$(free_port) port2=$(free_port) moved=$work/moved.img
kept=$(volume kept "$(linear "$work/kept.img")")
first() {
    listen_too="\"tcp://127.0.0.1:$port\"" write_exports "$kept,
        $(volume moved "$(linear "$moved")"), $(volume gone "$(linear gone.img)")"
}
second() {
    listen_too="\"tcp://127.0.0.1:$port2\", {\"unix\": \"$work/2.sock\", \"mode\": \"0600\"}" \
        write_exports "$(volume new "$(linear new.img)" '"read_only": true'),
        $(volume moved "$(linear "$moved" 0 9), $(linear "$moved" 9 16384), $(linear "$moved" 16393)"),
        $kept"
}
serves() { nbdinfo --size "$1" >/dev/null 2>&1; }
first
start_server config.json
start_load 4 "$(uri kept)" "--simple nbd://127.0.0.1:$port/kept" \
    "--at 0 $(uri moved)" "--at 4 --simple nbd://127.0.0.1:$port/moved"
for how in hang_up 'ctl reload' hang_up 'ctl reload' hang_up; do
    second && $how
    expect_eq "$(names)" 'kept moved new'
    expect_eq "$(status_of moved segments) $(status_of moved state)" '3 live'
    serves "nbd://127.0.0.1:$port2/new" && serves "nbd+unix:///kept?socket=$work/2.sock" || fail "$how"
    ! serves "nbd://127.0.0.1:$port/kept" || fail 'the listener that was removed still listens'
    first && $how
    expect_eq "$(names)" 'gone kept moved'
    serves "nbd://127.0.0.1:$port/gone"
    [[ ! -e 2.sock ]] || fail 'the socket of a listener that was removed is still there'
done
stop_load
stop_server
