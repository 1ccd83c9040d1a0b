#!/usr/bin/env bash
# Where exports were changed at run time a reload is refused, unless it is told which side wins; and
# what has won is still there after a restart.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/runtime_changes.sh"
workdir

serve_five
summary >file.txt
change_four
summary >runtime.txt
remember
for name in swapped loaded limited gone new; do expect_no_trace "\"$name\"" reload; done
ctl reload --runtime-wins
diff runtime.txt <(summary)
is_free_file gone.img || fail 'gone is back'
stop_server && start_server config.json
diff runtime.txt <(summary)
ctl reload --configuration-wins
diff file.txt <(summary)
is_free_file new.img || fail 'what was created is gone, and its claim is not'
expect_eq "$(find state -name '*.json')" ''
stop_server && start_server config.json
diff file.txt <(summary)
stop_server
