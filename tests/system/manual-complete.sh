#!/usr/bin/env bash
# The manual pages tell of every key of the configuration, with its default and its choices, of every
# option of both programs, every verb, method, param, event and error of control, and every name of the
# protocol that the server knows; and of nothing that is not there.
source "$(dirname "$0")/../support/functions.sh"
workdir

ctl=$(dirname "$INTERPOSED")/interposectl/interposectl
faults=$(/usr/bin/python3 "$tests/support/check_manual.py" "$INTERPOSED" "$ctl") || fail "$faults"
