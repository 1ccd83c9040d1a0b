#!/usr/bin/env bash
# 240 swaps between tables of 2, 3 and 7 segments over the same bytes, while four clients do random
# I/O on parts of their own, on a Unix and a TCP socket, with simple and structured replies: none of
# them sees an error or a wrong byte, and the files have what was written.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires_python nbd
workdir

truncate -s 16M a.img b.img
a=$work/a.img b=$work/b.img
table "$(linear "$a" 0 32768)" "$(linear "$b")" >2.json
table "$(linear "$a" 0 32768)" "$(linear "$b" 0 9)" "$(linear "$b" 9 32759)" >3.json
table "$(linear "$a" 0 1)" "$(linear "$a" 1 2047)" "$(linear "$a" 2048 30719)" \
    "$(linear "$a" 32767 1)" "$(linear "$b" 0 8192)" "$(linear "$b" 8192 16384)" \
    "$(linear "$b" 24576 8192)" >7.json
port=$(free_port)
listen_too="\"tcp://127.0.0.1:$port\"" serve_exports \
    "$(volume vol "$(linear "$a" 0 32768), $(linear "$b")")"

tcp=nbd://127.0.0.1:$port/vol
start_load 8 "$(uri)" "--simple $(uri)" "$tcp" "--simple $tcp"
control_python "$tests/support/swap_tables.py" vol 240 1 2.json 3.json 7.json
stop_load
! grep 'not closed yet' server.log || fail 'what is not used any more was kept open'
expect_eq "$(status_of vol generation)" 241
cat part-{0,1,2,3}.img | cmp - <(cat a.img b.img)
stop_server
