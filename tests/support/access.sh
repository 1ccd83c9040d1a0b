# shellcheck shell=bash
# What the tests of access rules share, on top of functions.sh.
requires setpriv
requires_python nbd
((EUID == 0)) || skip 'want root'

# A folder that everybody may enter, which the work directory is not: nbd.sock is in there.
open_folder() {
    place=$(mktemp -d /tmp/access.XXXXXX)
    at_exit rm -rf "$place"
    chmod 755 "$place"
    cp "$tests/support/what_may.py" "$place"
    open_socket="{\"unix\": \"$place/nbd.sock\", \"mode\": \"0666\"${1:+, $1}}" # KEYS
}

# Prints what somebody may do with an export through nbd.sock.
may_as() { # USER GROUP SUPPLEMENTARY-GROUPS [EXPORT]
    local groups=(--clear-groups)
    [[ -z $3 ]] || groups=(--groups "$3")
    setpriv --reuid "$1" --regid "$2" "${groups[@]}" /usr/bin/python3 "$place/what_may.py" \
        "nbd+unix:///${4-vol}?socket=$place/nbd.sock"
}
may_from() { # SOURCE-ADDRESS URI
    /usr/bin/python3 "$tests/support/what_may.py" "$2" "$1"
}

# Prints an export over NAME.img, which is made, with these rules.
export_for() { # NAME [RULES]
    [[ -e $1.img ]] || truncate -s 1M "$1.img"
    echo "{\"name\": \"$1\", ${2:+\"allow\": [$2], }\"table\": [
        {\"kind\": \"linear\", \"device\": \"$work/$1.img\"}]}"
}

# Prints what somebody may do with each of these exports, and then which of all are listed.
seen_by() { # URI-OF-VOL EXPORT...
    local each
    for each in "${@:2}"; do
        echo "$each: $(/usr/bin/python3 "$tests/support/what_may.py" "${1/vol/$each}")"
    done
    nbdinfo --list --json "${1/vol/}" | /usr/bin/python3 -c 'import json, sys
print(*sorted(e["export-name"] for e in json.load(sys.stdin)["exports"]))'
}
