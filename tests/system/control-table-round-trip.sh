#!/usr/bin/env bash
# What "table" prints, "load" takes, as JSON and in dmsetup's words, and the table is the same then;
# device-mapper's own "dmsetup table" is taken as well. Names may have blanks and quotes in them.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/claims.sh"
source "$tests/support/control.sh"
requires_loop_devices
workdir

disk=$(new_loop disk.img 8M) disk2=$(new_loop disk2.img 8M)
truncate -s 8M file.img 'a "b" \ c.img'
odd=$(printf '%s' "$work/a \\\"b\\\" \\\\ c.img")
serve_exports "$(volume vol "$(linear "$disk" 8 1000), $(linear "$disk2" 0 77), $(linear "$disk" 1008 99),
    $(linear "$work/file.img" 3 500), $(linear "$disk2" 77)" '"description": "first"'),
    $(volume 'odd one' "$(linear "$odd" 0 1), {\"kind\": \"linear\", \"device\": \"$odd\",
        \"offset\": 777, \"length\": 1001}")"
shape() { of "[r['size'], [[s[k] for k in ('start', 'length', 'identity', 'offset')] for s in r['segments']]]" table "$@"; }

shape vol >before
for how in '' --dm; do
    ctl table $how vol >"table$how"
    ctl load $how vol "table$how"
    diff before <(shape --inactive vol)
    diff "table$how" <(ctl table $how --inactive vol)
    ctl resume vol
    diff before <(shape vol)
    diff "table$how" <(ctl table $how vol)
    ctl table $how vol | ctl load vol -
    ctl clear vol
done
expect_eq "$(status_of vol generation)" 3
expect_eq "$(head -n 1 table--dm)" "0 1000 linear $(lsblk --nodeps --noheadings --output MAJ:MIN "$disk" | xargs) 8"
expect_ctl 1 'found JSON' load --dm vol table

shape 'odd one' >before
ctl table 'odd one' | ctl load 'odd one' -
diff before <(shape --inactive 'odd one')
expect_ctl 1 'cannot be said in lines of dmsetup' table --dm 'odd one'
expect_ctl 0 'odd one' map 'odd one'
stop_server
