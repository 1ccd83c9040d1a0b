#!/usr/bin/env bash
# What the fuzzers have found and learned (tests/fuzz/corpus) still passes all checks of their
# targets, in this build.
source "$(dirname "$0")/../support/functions.sh"
workdir

programs=$(dirname "$INTERPOSED")/tests/fuzz
[[ -d $programs ]] || skip "want the replay programs, of a build with tests"
for corpus in "$tests"/fuzz/corpus/*/; do
    target=$(basename "$corpus")
    "$programs/replay-$target" "$corpus" >"$target.log" 2>&1 ||
        fail "$target: $(tail -n 20 "$target.log")"
    tail -n 1 "$target.log"
done
"$programs/replay-config" "$tests/unit/config_samples" "$tests/../examples" >config.log 2>&1 ||
    fail "config: $(tail -n 20 config.log)"
