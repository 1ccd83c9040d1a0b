# shellcheck shell=bash
# What the tests of exports that were changed at run time share, on top of control.sh.

# Serves five exports, each over a file of its name; `file` is the first configuration.
serve_five() {
    local name
    exports=()
    truncate -s 4M same.img swapped.img loaded.img limited.img gone.img new.img
    for name in same swapped loaded limited gone; do
        exports+=("$(volume "$name" "$(linear "$work/$name.img")")")
    done
    serve_exports "$(joined "${exports[@]}")" '"state_dir": "state"'
}

# Changes four of them, each in another way, and makes a sixth.
change_four() {
    ctl load swapped <(table "$(linear "$work/swapped.img" 0 8)" "$(linear "$work/swapped.img" 8)")
    ctl resume swapped
    ctl load loaded <(table "$(linear "$work/loaded.img" 0 8)" "$(linear "$work/loaded.img" 8)")
    ctl qos limited --iops 12345
    ctl remove gone
    ctl create <(volume new "$(linear "$work/new.img")")
}

summary() {
    of 'sorted((e["name"], e["origin"], e["changed"], e["segments"], e["qos"]["iops"],
        e["inactive"] and e["inactive"]["segments"]) for e in r["exports"])' status
}
