# shellcheck shell=bash
# What the tests of reloads that are refused share, on top of control.sh and claims.sh. Before them
# the export "vol", over vol.img, is served and has clients; `vol` is it, `state` the state_dir.
state='"state_dir": "state"'

serve_vol() {
    truncate -s 8M vol.img b.img
    disk=$(new_loop disk.img 8M)
    port=$(free_port)
    vol=$(volume vol "$(linear "$work/vol.img")")
    serve_exports "$vol" "$state"
    start_load 4 "$(uri)" "--simple $(uri)"
    remember
    also="$(volume b "$(linear "$work/b.img")"), $(volume disk "$(linear "$disk")")"
}

# Writes a configuration with more exports and one more listener, and what is said.
write_with() { # EXPORTS KEYS
    listen_too="\"tcp://127.0.0.1:$port\"${listen+, $listen}" write_exports "$also, $1" "$2"
}

# Neither the verb nor the signal does any of it.
refused_reload() { # TEXT
    expect_no_trace "$1" reload
    hang_up
    eventually 30 grep -qF "$1" server.log || fail "want it in the log: $1"
    eventually 30 unchanged || fail "$1: the signal left $(<difference.txt)"
    is_free "$disk" || fail "$1: it has left a claim"
}

# Without the fault all of it is done.
accepted_reload() {
    write_with "$vol" "$state"
    ctl reload
    expect_eq "$(names)" 'b disk vol'
    stop_load
    stop_server
}
