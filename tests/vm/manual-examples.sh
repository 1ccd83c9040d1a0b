#!/usr/bin/env bash
# Every example of the manual pages that is a command does what it says, as it stands there: from /etc,
# on disks, with the kernel's drivers. tests/support/manual/PAGE.sh sets the stage for one of a page.
source "$(dirname "$0")/../support/vm.sh"
in_machine --disk 64M --disk 64M

# The export vol0 over /dev/sdb, which listens where the pages say.
serve_vol0() {
    ln -sf /dev/vdc /dev/sdb
    ln -sf /dev/vdd /dev/sdd
    mkdir -p /run/interposed /etc/interposed
    cat >/etc/interposed/interposed.json <<END
{"listen": "tcp://127.0.0.1", "control": "/run/interposed/control.sock",
 "exports": [{"name": "vol0", "claim": "shared", "table": [$(linear /dev/sdb)]}]}
END
    start_server /etc/interposed/interposed.json
}
clear_stage() {
    ! is_attached /dev/nbd0 || detach /dev/nbd0
    has_ended "$server" || stop_server
    ! pkill -KILL --exact interposed || eventually 60 nobody_is_left
}
nobody_is_left() { ! pgrep --exact interposed >/dev/null; }

mkdir examples
/usr/bin/python3 "$tests/support/manual_examples.py" examples
modprobe --all nbd dm-mod
server=none
for example in examples/*.sh; do
    name=$(basename "$example" .sh)
    page=${name%-*}
    [[ ! -e $tests/support/manual/$page.sh ]] || source "$tests/support/manual/$page.sh"
    (set -e; source "$example") >"$name.said" 2>&1 </dev/null &
    wait $! || fail "$page, example ${name##*-}: $(cat "$example" "$name.said")"
    [[ ! -e examples/$name.out ]] || diff "examples/$name.out" "$name.said" || fail "$name answers something else"
    clear_stage
    echo "$name does what it says"
done
