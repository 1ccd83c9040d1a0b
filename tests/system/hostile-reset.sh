#!/usr/bin/env bash
# Clients that leave at every byte of a session, by RST and by closing: nothing stays behind, each
# has its line in the log, and what others have written is what they read.
source "$(dirname "$0")/../support/functions.sh"
workdir

truncate -s 16M a.img
port=$(free_port)
cat >config.json <<END
{
  "listen": ["unix://$PWD/nbd.sock", "tcp://127.0.0.1:$port"],
  "exports": [{"name": "torn", "table": [
    {"kind": "linear", "device": "a.img", "length": "4MiB"},
    {"kind": "linear", "device": "a.img", "offset": "4MiB"}]}]
}
END
start_server config.json
for uri in "nbd+unix:///torn?socket=$PWD/nbd.sock" "nbd://127.0.0.1:$port/torn"; do
    "$tests/support/hostile/reset.py" "$server" "$uri"
done
stop_server
ended=$(grep -oE '^interposed: session [0-9]+ ' server.log | grep -oE '[0-9]+' | sort -n)
(($(wc -l <<<"$ended") > 1000)) || fail 'want a line of each session in the log'
expect_eq "$ended" "$(seq 1 "$(tail -n 1 <<<"$ended")")" 'sessions that have ended'
