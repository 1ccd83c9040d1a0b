#!/usr/bin/env bash
# A suspend whose deadline passes changes nothing: neither where a device is stuck, nor where a
# client has sent half of a WRITE, which is named. Once that client is disconnected it works.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires nbdkit nbdfuse fusermount3
requires_python nbd
workdir

truncate -s 64M a.img b.img
lossy_file a
serve_exports "$(volume stuck "$(linear "$work/a/nbd")"),
    $(volume vol "$(linear "$work/b.img")")" '"state_dir": "state"'
start_load 8 "$(uri)"
ctl load stuck <(table "$(linear "$work/a/nbd" 0 1)" "$(linear "$work/a/nbd" 1)")
kill -STOP "${caches[0]}"
/usr/bin/python3 "$tests/support/in_flight.py" "$(uri stuck)" read &
reader=$!
eventually 30 test -e sent || fail 'want the requests to be sent'
for verb in suspend resume; do
    expect_ctl 4 'requests have not come to an end in time, of session' "$verb" --timeout 1 stuck
    expect_eq "$(status_of stuck state) $(status_of stuck generation)" "live 1"
done
kill -CONT "${caches[0]}"
wait "$reader" || fail 'a stuck read was not answered afterwards'
ctl resume stuck

control_python "$tests/support/half_payload.py" b.img
stop_load
stop_server
