#!/usr/bin/env bash
# A server that is somebody else reloads as that user: what he may open is served, what he may not is
# refused with his name and the path, and a configuration that he may not read is warned of at the start.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/run_as.sh"
workdir
open_to_all

truncate -s 4M vol.img theirs.img secret.img
chown nobody theirs.img
chmod 600 vol.img secret.img
vol=$(volume vol "$(linear "$work/vol.img")")
run_as='"run_as": "nobody"'
serve_exports "$vol" "$run_as"
! grep -q 'want it readable' server.log || fail 'a warning for nothing'

write_exports "$vol, $(volume secret "$(linear "$work/secret.img")")" "$run_as"
expect_ctl 1 "device \"$work/secret.img\": want read-write access, found \"Permission denied\" for user \"nobody\"" reload
hang_up
expect_eq "$(grep -c 'all is as before: .* for user "nobody"' server.log)" 1 'reloads refused by signal'
write_exports "$vol" '"run_as": "daemon"'
expect_ctl 1 '"run_as" take effect with a restart only' reload
write_exports "$vol, $(volume theirs "$(linear "$work/theirs.img")")" "$run_as"
expect_ctl 0 '' reload
expect_eq "$(names)" 'theirs vol'
stop_server

chmod 600 config.json
start_server config.json
grep -q 'config.json: want it readable for user "nobody", or it cannot be reloaded' server.log ||
    fail 'no warning'
expect_ctl 1 'config.json: cannot be read: Permission denied' reload
stop_server
