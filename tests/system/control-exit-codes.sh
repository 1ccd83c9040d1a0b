#!/usr/bin/env bash
# interposectl's exit status against the real server: 0 done, 1 refused, 2 wrong usage, 3 not to be
# reached, 4 too late; and with --json an error is printed as JSON.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
workdir

truncate -s 1M vol.img
expect_ctl 3 'cannot reach the server' ls
serve_exports "$(volume vol "$(linear "$work/vol.img")"), $(volume '' "$(linear "$work/vol.img")" '"read_only": true')"
# shellcheck disable=SC2086  # words are meant
for verb in ls status 'status vol' 'table vol' 'table --dm vol' 'map vol' 'sessions' 'sessions vol' \
    'qos vol' 'log' 'reload' 'statistics' 'metrics' 'version' 'reopen vol' 'clear vol' 'resize vol' \
    'suspend vol' 'resume vol' 'suspend --noflush --timeout 3 vol' 'resume --noflush vol' \
    'drain vol' 'drain --undo' 'drain --wait' 'drain --undo vol' 'trace on --export vol' \
    'trace off --client ::1' 'disconnect --export vol' 'disconnect --client 10.0.0.1' \
    'log --level debug --format json' 'log --level info --format text' 'top --count 1' \
    'top --count 2 --interval 0.05 --devices' 'wait drained vol' 'help' 'help load' 'load --help'; do
    expect_ctl 0 '' $verb
    [[ $verb == *help* ]] || ctl --json $verb | /usr/bin/python3 -c 'import json, sys
for line in sys.stdin: assert isinstance(json.loads(line), dict), line' || fail "$verb: no JSON"
done
for verb in 'status absent' 'table absent' 'map absent' 'remove absent' 'load absent config.json' \
    'clear absent' 'suspend absent' 'resume absent' 'resize absent' 'reopen absent' 'drain absent' \
    'qos absent' 'qos absent --iops 1' 'sessions absent' 'disconnect 999' 'disconnect --export absent' \
    'trace on 999' 'trace on --export absent' 'create absent.json' 'load vol absent.json' \
    'create config.json' 'load vol config.json' 'table --inactive vol'; do
    expect_ctl 1 'interposectl: ' $verb
    ! ctl --json $verb >said 2>&1 || fail "$verb has worked"
    grep -q '^{"error":{"code":' said || fail "$verb: want JSON, found $(<said)"
done
for verb in nonsense '' 'ls more' 'status a b' 'table' 'load vol' \
    'suspend --timeout x vol' 'suspend --timeout 0 vol' 'resume --timeout 7200 vol' \
    'resize vol 3x' 'disconnect' 'disconnect 1 --export vol' 'trace vol' \
    'log --level loud' 'reload --drain --disconnect' 'wait' 'top --count 0' 'qos vol --iops -1'; do
    expect_ctl 2 'interposectl' $verb
done
expect_ctl 4 'in time' wait created --timeout 0.01
stop_server
expect_ctl 3 'cannot reach the server' ls
