#!/usr/bin/env bash
# One table over disks of 512 and of 4096-byte blocks and a file: exclusive, it takes requests of
# any size over every border; shared, those of the largest block.
source "$(dirname "$0")/../support/functions.sh"
requires nbdinfo
requires_python nbd
workdir

truncate -s 300K small.img file.img large.img
loop_on small.img
small=$loop
loop_on large.img --sector-size 4096
large=$loop
config() { # CLAIM
    cat <<END
{"listen": ["unix://$PWD/nbd.sock"], "exports": [{"name": "", "claim": "$1", "table": [
  {"kind": "linear", "device": "$small", "offset": "8s", "length": "100KiB"},
  {"kind": "linear", "device": "$large", "offset": "16KiB", "length": "40KiB"},
  {"kind": "linear", "device": "file.img", "offset": 777, "length": "4KiB"},
  {"kind": "linear", "device": "$small", "offset": "120KiB", "length": "64KiB"},
  {"kind": "linear", "device": "$large", "offset": "200KiB", "length": "100KiB"}]}]}
END
}
zeroes() { head -c "$1" /dev/zero; }
part() { tail -c "+$(($1 + 1))" model.img | head -c "$2"; } # OFFSET LENGTH

for claim in exclusive shared; do
    config "$claim" >config.json
    start_server config.json
    block=$([[ $claim == exclusive ]] && echo 1 || echo 4096)
    uri="nbd+unix:///?socket=$PWD/nbd.sock"
    expect_in "$(nbdinfo --no-content --json "$uri")" "\"block_size_minimum\": $block,"
    /usr/bin/python3 "$tests/support/odd_requests.py" "$uri" "$block" model.img \
        102400 143360 147456 212992 315392
    stop_server
    # What lies around the segments was never touched.
    { zeroes 4096; part 0 102400; zeroes 16384; part 147456 65536; zeroes 118784; } | cmp - small.img
    { zeroes 16384; part 102400 40960; zeroes 147456; part 212992 102400; } | cmp - large.img
    { zeroes 777; part 143360 4096; zeroes 302327; } | cmp - file.img
done
