# shellcheck shell=bash
# What the tests of running as a service share, on top of functions.sh, which is sourced first.

# Starts the server under a stand-in for systemd, and waits until it serves. `manager` is that,
# told.txt what the server tells it; `server` is the server's process, which may become another.
start_managed() { # [OPTION-OF-SERVICE-MANAGER]... -- ARGUMENT-OF-SERVER...
    local options=()
    while [[ $1 != -- ]]; do options+=("$1"); shift; done
    : >server.log
    /usr/bin/python3 "$tests/support/service_manager.py" "${options[@]}" -- "$INTERPOSED" "${@:2}" \
        2>server.log &
    manager=$!
    at_exit kill_hard "$manager"
    at_exit kill_main
    eventually 90 is_told 'READY=1.*' || fail 'the manager is not told in time'
    server=$(<main)
}
kill_main() { kill_hard "$(<"$work/main")"; }

is_told() { [[ -e told.txt ]] && grep -qxE "$1" told.txt; } # REGULAR-EXPRESSION
times_told() { grep -cxE "$1" told.txt || true; }
is_told_more() { (($(times_told "$1") > $2)); } # REGULAR-EXPRESSION TIMES
expect_told() { eventually 30 is_told "$1" || fail "want $1 told, found $(tail told.txt)"; }

# Another process serves when it returns.
restart_managed() {
    local before
    before=$(times_told 'READY=1.*')
    kill -USR1 "$manager"
    eventually 60 is_told_more 'READY=1.*' "$before" || fail 'no other server is ready in time'
    server=$(<main)
}

stop_managed() {
    kill -TERM "$manager"
    eventually 60 has_ended "$manager" || fail 'the server does not stop'
}

# Prints one line of the status of each thread of the server, without repetitions.
each_thread() { # NAME
    sed -n "s/^$1:[[:space:]]*//p" "/proc/$server/task/"*/status | sed 's/[[:space:]]*$//' | sort -u
}
