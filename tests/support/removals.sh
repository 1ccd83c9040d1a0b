# shellcheck shell=bash
# What the tests of exports that are removed under their clients share, on top of control.sh: "gone"
# is removed, and "vol" stays. $verb says how: by a reload without it, or by the verb.
serve_both() {
    truncate -s 4M vol.img gone.img
    vol=$(volume vol "$(linear "$work/vol.img")")
    gone=$(volume gone "$(linear "$work/gone.img")")
    serve_exports "$vol, $gone"
}
take_away() { # [OPTION]
    if [[ $verb == reload ]]; then
        write_exports "$vol" && ctl reload "$@"
    else
        ctl remove "$@" gone
    fi
}
bring_back() {
    if [[ $verb == reload ]]; then
        write_exports "$vol, $gone" && ctl reload
    else
        ctl create <(echo "$gone")
    fi
}
is_gone() { [[ $(names) == vol ]] && is_free_file gone.img; }
