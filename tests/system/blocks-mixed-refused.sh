#!/usr/bin/env bash
# The largest block of its disks binds a table, whoever else uses them: a border or a place that
# does not lie on it is refused before anything is served, with what was wanted.
source "$(dirname "$0")/../support/functions.sh"
workdir

truncate -s 1M small.img large.img file.img
loop_on small.img
small=$loop
loop_on large.img --sector-size 4096
large=$loop
config() { # CLAIM FIRST-OFFSET FIRST-LENGTH SECOND-OFFSET DEVICE
    cat <<END
{"listen": ["unix://$PWD/nbd.sock"], "exports": [{"name": "", "claim": "$1", "table": [
  {"kind": "linear", "device": "$5", "offset": $2, "length": $3},
  {"kind": "linear", "device": "$large", "offset": $4, "length": "64KiB"}]}]}
END
}
refused() { # WHAT CONFIG...
    local code claim
    for claim in exclusive shared; do
        code=0
        config "$claim" "${@:2}" >config.json
        timeout 100 "$INTERPOSED" config.json 2>said || code=$?
        expect_eq "$code" 1 "exit status ($(<said))"
        expect_in "$(<said)" "$1: want a multiple of 4096, the logical block size of \"$large\""
        expect_eq "$(grep -c 'want a multiple' said)" 1 "faults in: $(<said)"
    done
}
refused 'table[0]: start 0, length 512' 0 512 0 "$small"
refused 'table[0]: start 0, length 61441' 0 61441 0 file.img
refused 'table[0]: offset 512' 512 4096 0 "$small"
refused 'table[1]: offset 2048' 0 4096 2048 "$small"

config shared 1 4096 4096 file.img >config.json   # a file through the page cache may lie anywhere
start_server config.json
stop_server
