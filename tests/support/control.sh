# shellcheck shell=bash
# What the tests of the control socket share, on top of functions.sh, which is sourced first.
# INTERPOSECTL is the program; where nothing is said, the one that was built with the server.
if [[ -n ${INTERPOSED:-} ]]; then
    : "${INTERPOSECTL:=$(dirname "$(realpath "$INTERPOSED")")/interposectl/interposectl}"
    export INTERPOSECTL
fi
uri() { echo "nbd+unix:///${1-vol}?socket=$work/nbd.sock"; } # [EXPORT]

ctl() { timeout 100 "$INTERPOSECTL" --socket "$work/control.sock" "$@"; }

# The verb ends with this status, and says the text on the way.
expect_ctl() { # STATUS TEXT VERB...
    local code=0 said
    said=$(ctl "${@:3}" 2>&1) || code=$?
    expect_eq "$code" "$1" "exit status of ${*:3} (\"$said\")"
    expect_in "$said" "$2"
}

# Prints what a Python expression is of the verb's result, which is `r`.
of() { # EXPRESSION VERB...
    ctl --json "${@:2}" >"$work/result.json" || fail "${*:2}: $(<"$work/result.json")"
    /usr/bin/python3 -c 'import json, sys
r = json.load(open(sys.argv[2]))
print(eval(sys.argv[1]))' "$1" "$work/result.json"
}
status_of() { of "r['exports'][0]['$2']" status "$1"; } # EXPORT KEY
has_connections() { [[ $(status_of "$1" connections) == "$2" ]]; } # EXPORT NUMBER

# Prints one segment, and an export of such; without a length it goes to the end of its device.
linear() { # DEVICE [OFFSET [LENGTH]]
    echo "{\"kind\": \"linear\", \"device\": \"$1\", \"offset\": \"${2:-0}s\"${3:+, \"length\": \"${3}s\"}}"
}
joined() { local IFS=,; echo "$*"; }
table() { echo "{\"table\": [$(joined "$@")]}"; } # SEGMENT...
volume() { # NAME SEGMENT [KEYS]
    echo "{\"name\": \"$1\", \"table\": [$2]${3:+, $3}}"
}

# Writes config.json: these exports, nbd.sock, control.sock, and more keys if there are any.
write_exports() { # EXPORTS [KEYS]
    cat >config.json <<END
{"listen": ["unix://$work/nbd.sock"${listen_too:+, $listen_too}], "control": "$work/control.sock",
 ${2:+$2,} "exports": [
  $1
]}
END
}
serve_exports() { # EXPORTS [KEYS]
    write_exports "$@"
    start_server config.json
}

# Runs Python with control_client, and the sockets as `argv[1:]`; then the further arguments.
control_python() { # SCRIPT|- [ARGUMENT...]
    raw_python "$1" "$work/nbd.sock" "$work/control.sock" "${@:2}"
}

# Starts clients that do random I/O and check it, each on a part of its own of the export, until
# stop_load: they must have noticed nothing, and then part-N.img is what the part has. `load_in` is the
# command that they are started by, if there is one.
load_clients=() load_in=()
start_load() { # MIB "[OPTION-OF-VERIFIED-LOAD...] URI"...
    local one words at=${#load_clients[@]}
    rm -f load-stop
    for one in "${@:2}"; do
        read -ra words <<<"$one"
        ${load_in[@]+"${load_in[@]}"} /usr/bin/python3 "$tests/support/verified_load.py" "${words[@]}" \
            $((at * $1)) "$1" "part-$at.img" "$at" >"load-$at.log" 2>&1 &
        load_clients+=($!)
        at_exit kill_hard "$!"
        at=$((at + 1))
    done
    eventually 60 all_working "$at" || fail "not all clients work: $(cat load-*.log)"
}
all_working() { [[ $(find . -maxdepth 1 -name 'load-working.*' | wc -l) == "$1" ]]; }

stop_load() {
    local client
    touch load-stop
    for client in "${load_clients[@]}"; do
        eventually 60 has_ended "$client" || fail "a client is stuck: $(cat load-*.log)"
        wait "$client" || fail "a client noticed: $(cat load-*.log)"
    done
    load_clients=()
    rm load-working.*
    cat load-*.log
}

# Prints all that a change which is refused must leave as it is: what the server says of itself, what
# it has recorded, what it has open, and the locks it holds.
everything() {
    ctl --json status
    ctl --json sessions | sed -E 's/"(requests|errors|bytes_[a-z]+|in_flight)":[0-9]+/"\1":_/g'
    find state -type f -exec grep -H . {} + 2>/dev/null || true
    find "/proc/$server/fd" -type l -printf '%l\n' | grep ^/ | grep -v /proc/ | sort
    grep -h ^lock "/proc/$server/fdinfo/"* 2>/dev/null | sed 's/^lock:\t[0-9]*: //' | sort
}
remember() { everything >before.txt; }
unchanged() { everything >after.txt && diff before.txt after.txt >difference.txt; }
# The verb is refused with this text, and all is as remember() has found it.
expect_no_trace() { # TEXT VERB...
    expect_ctl 1 "$1" "${@:2}"
    eventually 30 unchanged || fail "${*:2}: refused, and it left $(<difference.txt)"
}

# Whether nobody has any lock of qemu's kind on the file, so that another program may claim it.
is_free_file() { # FILE
    /usr/bin/python3 - "$1" <<'END'
import fcntl, struct, sys
try:
    with open(sys.argv[1], "r+b") as file:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 100, 200, 0))
except BlockingIOError:
    sys.exit(1)
END
}

# Lets a qemu-nbd write to the file; `holder` is the process.
hold_file() { # FILE
    qemu-nbd --format raw --persistent --fork --pid-file holder --socket "$work/holder.sock" "$1"
    holder=$(<holder)
    at_exit kill_hard "$holder"
}

# Asks for a reload by signal, and waits until it is done, or refused.
reloads() { grep -cE '(reloaded|all is as before):' server.log; }
more_reloads_than() { (($(reloads) > $1)); }
hang_up() {
    local before
    before=$(reloads) || true
    kill -HUP "$server"
    eventually 60 more_reloads_than "$before" || fail 'no word of the reload'
}
names() { of "' '.join(sorted(e['name'] for e in r['exports']))" ls; }
