#!/usr/bin/env bash
# A configuration that has caught up with what was changed at run time is no reason to ask who wins,
# and then nothing is recorded any more.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/runtime_changes.sh"
workdir

serve_five
change_four
ctl clear loaded
two="$(linear "$work/swapped.img" 0 8), $(linear "$work/swapped.img" 8)"
write_exports "${exports[0]}, ${exports[2]}, $(volume swapped "$two"),
    $(volume limited "$(linear "$work/limited.img")" '"qos": {"iops": 12345}'),
    $(volume new "$(linear "$work/new.img")")" '"state_dir": "state"'
ctl reload
expect_eq "$(of "sum(e['changed'] for e in r['exports'])" status)" 0
expect_eq "$(find state -name '*.json')" ''
# And what is removed and then made again as it was is as if nothing had happened.
ctl remove same
ctl create <(echo "${exports[0]}")
expect_eq "$(status_of same changed) $(status_of same origin)" 'False configuration'
for how in '' --runtime-wins --configuration-wins; do
    # shellcheck disable=SC2086  # nothing is nothing
    expect_ctl 0 '5 exports unchanged' reload $how
done
stop_server && start_server config.json
expect_eq "$(names)" 'limited loaded new same swapped'
expect_eq "$(of "sum(e['changed'] for e in r['exports'])" status)" 0
stop_server
