#!/usr/bin/env bash
# --help and --version, and exit status 2 with a hint for a command line that is wrong.
source "$(dirname "$0")/../support/functions.sh"
workdir

"$INTERPOSED" --help >help.txt
for word in --check --listen --read-only --shared --export --description --cache --version; do
    grep -q -e "$word" help.txt || fail "--help does not tell of $word"
done
"$INTERPOSED" --version | grep -qE '^interposed [0-9]+\.[0-9]+\.[0-9]+$' || fail "--version"

truncate -s 1M a.img
refused() {
    local code=0
    "$INTERPOSED" "$@" >out.txt 2>err.txt || code=$?
    expect_eq "$code" 2 "exit status of: $*"
    [[ -s err.txt && ! -s out.txt ]] || fail "want a message on stderr only for: $*"
}
refused
refused --no-such-option
refused one.json two.json
refused --check
refused --listen
refused --listen "unix://$PWD/nbd.sock"
refused --listen nonsense a.img
refused --listen "unix://$PWD/nbd.sock" --cache sometimes a.img
refused --shared config.json

code=0
"$INTERPOSED" absent.json 2>err.txt || code=$?
expect_eq "$code" 1 "exit status for a file that is absent"
grep -q absent.json err.txt || fail "$(cat err.txt)"
