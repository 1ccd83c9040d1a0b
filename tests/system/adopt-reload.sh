#!/usr/bin/env bash
# A configuration file says nothing of what is adopted or marked at run time, and is not at odds with
# it: a reload changes what the file changes, and leaves both, whoever is to win. So does the next
# server. Without a state_dir it is done all the same, and said not to be recorded.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/claims.sh"
source "$tests/support/control.sh"
requires_loop_devices
workdir

disk=$(new_loop disk 16M)
write_now() { # DESCRIPTION [KEYS]
    write_exports "$(volume vol "$(linear "$disk")" '"claim": "shared", "description": "'"$1\"")" "${2-}"
}
mark() { # INTERPOSED
    control_python - "$1" <<'END'
import json, sys, control_client as client
print(client.Control().call("export.mark", name="vol", interposed=json.loads(sys.argv[3])))
END
}
write_now first '"state_dir": "state"'
start_server config.json
ctl claim vol adopted
interposed='{"volume": "v", "before": ["0 8 linear 7:0 0"], "after": [], "state": "in"}'
expect_in "$(mark "$interposed")" "'recorded': True"
expect_in "$(ctl reload)" '1 export unchanged'
for option in '' --configuration-wins --runtime-wins; do
    write_now "second$option" '"state_dir": "state"'
    ctl reload ${option:+"$option"}
    kill_server
    eventually 30 is_free "$disk" && start_server config.json
    expect_eq "$(status_of vol claim) $(status_of vol description)" "adopted second$option"
    expect_in "$(status_of vol interposed)" "'volume': 'v'"
done
expect_in "$(mark null)" "'interposed': None" && stop_server
write_now third
start_server config.json
expect_eq "$(of "r['recorded']" claim vol adopted)" False
expect_in "$(mark null)" "'recorded': False"
stop_server
