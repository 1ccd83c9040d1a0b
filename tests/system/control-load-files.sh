#!/usr/bin/env bash
# Where a table to load may come from: a file, whose folder relative paths are relative to, standard
# input, a pipe; as an object, an array, lines of dmsetup or an array of them.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
workdir

truncate -s 8M vol.img file.img
serve_exports "$(volume vol "$(linear "$work/vol.img")")"
device() { of "r['segments'][0]['device']" table --inactive vol; }
mkdir sub && truncate -s 8M sub/file.img
echo '[{"kind": "linear", "device": "file.img"}]' >sub/array.json
echo '// A comment is allowed.
{"table": [{"kind": "linear", "device": "file.img"}]}' >sub/object.json
echo '{"dm_table": ["0 16384 linear file.img 0"]}' >sub/lines.json
printf '# dmsetup\n\n0 16384 linear file.img 0\n' >sub/lines.txt
for file in sub/array.json sub/object.json sub/lines.json sub/lines.txt; do
    ctl load vol "$file"
    expect_eq "$(device)" "$work/sub/file.img" "$file"
    ctl load vol - <"$file"
    expect_eq "$(device)" "$work/file.img" "$file as standard input"
    (cd sub && ctl load vol - <"$work/$file")
    expect_eq "$(device)" "$work/sub/file.img" "$file as standard input elsewhere"
done
ctl load --dm vol sub/lines.txt
expect_ctl 1 'found JSON' load --dm vol sub/lines.json
expect_ctl 0 'dropped' clear vol
expect_ctl 1 'has no table loaded' table --inactive vol
: >empty
expect_ctl 1 'empty:1:1' load vol empty
stop_server
