#!/usr/bin/env bash
# Nobody reads the server's stderr, a pipe that is full: thousands of requests that fail, each with
# a line, are answered all the same. Who reads at last gets the first lines, and how many are
# missing. A server that cannot get rid of its last words stops nevertheless.
source "$(dirname "$0")/../support/functions.sh"
requires_python nbd
workdir

count=20000   # lines of more than 100 bytes; a pipe and the queue hold half of that
truncate -s 1M a.img short.img
mkfifo stderr
exec {pipe}<>stderr
"$INTERPOSED" --listen "unix://$PWD/nbd.sock" a.img short.img 2>stderr &
server=$!
at_exit kill_hard "$server"
eventually 30 test -S nbd.sock || fail 'the server is not ready in time'
truncate -s 0 short.img   # behind the server's back

failing_reads() {
    timeout 200 /usr/bin/python3 "$tests/support/failing_reads.py" \
        "nbd+unix:///?socket=$PWD/nbd.sock" "$((1 << 20))" "$count" || fail 'a client was not served'
}
failing_reads

: >read.log
cat <&"$pipe" >>read.log &
reader=$!
eventually 30 grep -q 'lines dropped here' read.log || fail 'want the lines that are missing in the log'
dropped=$(sed -n 's/.* log: \([0-9]*\) lines dropped here: .*/\1/p' read.log)
written=$(grep -c 'Input/output error$' read.log)
expect_eq "$((written + dropped))" "$((count + 1))" 'lines written and dropped, with the farewell'
grep -qx ready read.log || fail 'want the first lines in the log'
kill "$reader"

failing_reads
stop_server
