#!/usr/bin/env bash
# Where stderr is the journal, the log is entries with what they are about in fields, and nothing is
# written to stderr; where stderr is something else, the journal is left alone.
source "$(dirname "$0")/../support/functions.sh"
requires unshare
requires_python nbd
workdir
((EUID == 0)) || skip 'want root'

truncate -s 1M a.img short.img
cat >config.json <<CONFIG
{"listen": ["unix://$work/nbd.sock"], "exports": [{"name": "vol", "claim": "shared", "table": [
  {"kind": "linear", "device": "a.img", "length": "1MiB"}, {"kind": "linear", "device": "short.img"}]}]}
CONFIG
: >entries.txt
# Its /run is another one than that of everybody else.
unshare --mount --propagation private sh -c 'mount -t tmpfs tmpfs /run && exec "$@"' - \
    /usr/bin/python3 "$tests/support/journal.py" stderr.txt entries.txt \
    sh -c 'echo $$ >pid && exec "$0" config.json' "$INTERPOSED" &
journal=$!
at_exit kill_hard "$journal"
eventually 30 grep -q '"MESSAGE": "ready"' entries.txt || fail "not ready: $(cat stderr.txt entries.txt)"
server=$(<pid)
at_exit kill_hard "$server"
truncate -s 0 short.img   # behind the server's back
/usr/bin/python3 "$tests/support/failing_reads.py" "nbd+unix:///vol?socket=$work/nbd.sock" $((1 << 20)) 3
kill -TERM "$server"
wait "$journal" || fail 'exit status'
expect_eq "$(<stderr.txt)" '' 'stderr'
/usr/bin/python3 "$tests/support/check_entries.py" entries.txt

truncate -s 1M short.img
JOURNAL_STREAM=1:2 start_server config.json
grep -q '^interposed: listening on unix' server.log || fail 'want plain lines'
stop_server
