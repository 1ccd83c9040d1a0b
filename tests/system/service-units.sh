#!/usr/bin/env bash
# systemd understands what is installed for it, and finds no unit that serves the network more exposed
# than it has to be; the one that makes devices of the kernel has two capabilities more.
source "$(dirname "$0")/../support/functions.sh"
requires systemd-analyze systemd-sysusers systemd-tmpfiles
workdir

built=$(dirname "$INTERPOSED")/systemd
mkdir units
for unit in "$built"/*.service "$tests/../systemd/interposed.socket"; do
    sed "s#^ExecStart=[^ ]*#ExecStart=$INTERPOSED#" "$unit" >"units/$(basename "$unit")"
done
cp units/interposed@.service units/interposed@x.service
cp units/interposed-attach@.service units/interposed-attach@x.service
mkdir -p root/etc
systemd-sysusers --root="$work/root" "$tests/../systemd/sysusers.conf" >said.txt 2>&1 || fail "$(<said.txt)"
grep -q '^interposed:' root/etc/passwd || fail 'want the user'
expect_eq "$(grep -c '^d /' "$tests/../systemd/tmpfiles.conf")" 2 'folders'
for unit in interposed.service interposed@x.service interposed-attach@x.service interposed.socket; do
    SYSTEMD_UNIT_PATH=$work/units: systemd-analyze verify --man=no --recursive-errors=no "$unit" \
        >said.txt 2>&1 || fail "$unit: $(<said.txt)"
    ! grep 'interposed' said.txt || fail "systemd complains of $unit"
done
check_exposure() { # UNIT MOST-IN-TENTHS
    systemd-analyze security --offline=true --threshold="$2" --no-pager "units/$1" >"$1.txt" ||
        fail "$1: $(grep -v '^✓' "$1.txt")"
    tail -n 1 "$1.txt"
}
check_exposure interposed.service 20
check_exposure interposed@x.service 20
check_exposure interposed-attach@x.service 30
