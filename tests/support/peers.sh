# shellcheck shell=bash
# What the tests of who may use the control socket share, on top of control.sh.
requires setpriv
((EUID == 0)) || skip 'want root'

# A folder that everybody may enter, which the work directory is not: the control socket is there.
open_folder() {
    place=$(mktemp -d /tmp/control-peers.XXXXXX)
    at_exit rm -rf "$place"
    chmod 755 "$place"
    cp "$INTERPOSECTL" "$place/interposectl"
}
serve_with() { # KEYS-OF-CONTROL
    truncate -s 1M vol.img
    write_exports "$(volume vol "$(linear "$work/vol.img")")"
    sed -i "s#\"control\": \"[^\"]*\"#\"control\": {\"unix\": \"$place/control.sock\", $1}#" config.json
    start_server config.json
}

# Runs "ls" as somebody else. Both of the others take the same.
as() { # USER GROUP [SUPPLEMENTARY-GROUPS]
    local groups=(--clear-groups)
    [[ -z ${3:-} ]] || groups=(--groups "$3")
    setpriv --reuid "$1" --regid "$2" "${groups[@]}" \
        "$place/interposectl" --socket "$place/control.sock" ls 2>&1
}
welcome() { expect_in "$(as "$@")" 'vol'; }
turned_away() {
    local said code=0
    said=$(as "$@") || code=$?
    expect_eq "$code" 1 "exit status for $* ($said)"
    expect_in "$said" 'this user may not control the server'
}
