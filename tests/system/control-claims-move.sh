#!/usr/bin/env bash
# A device with an exclusive claim goes from one export to another, while both have clients: never
# before the first has left it, and then at once. Neither load, create nor another server gets a
# device that is live or loaded elsewhere.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/claims.sh"
source "$tests/support/control.sh"
requires_python nbd
requires_loop_devices
workdir

x=$(new_loop x.img 8M) y=$(new_loop y.img 8M) z=$(new_loop z.img 8M)
serve_exports "$(volume a "$(linear "$x")"), $(volume b "$(linear "$y")")" '"state_dir": "state"'
for name in x y z; do table "$(linear "${!name}")" >"$name.json"; done
move() { # EXPORT FROM TO: the names of devices
    ctl suspend "$1"
    dd if="${!2}" of="${!3}" bs=1M iflag=direct oflag=direct status=none
    ctl load "$1" "$3.json"
    ctl resume "$1"
    is_free "${!2}" || fail "$2 is still claimed after $1 has left it"
}
start_load 4 "$(uri a)" "--simple $(uri a)" "--at 0 $(uri b)" "--at 4 $(uri b)"
for _ in 1 2 3; do
    expect_ctl 1 'overlaps device' load b x.json
    ctl load a z.json
    expect_ctl 1 'overlaps device' load b z.json
    ctl clear a
    move a x z
    move b y x
    ctl create <(volume c "$(linear "$y")")
    ! is_free "$y" || fail 'what was created has not claimed y'
    expect_ctl 1 'overlaps device' load a y.json
    ctl remove c
    move b x y
    move a z x
done
stop_load
cat part-{0,1}.img | cmp - x.img
cat part-{2,3}.img | cmp - y.img
stop_server
