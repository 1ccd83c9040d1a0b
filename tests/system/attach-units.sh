#!/usr/bin/env bash
# systemd understands what the examples have for it: the unit that attaches a device, and the mount that
# comes of the line for fstab, which requires it, is ordered after it, and is of the network.
source "$(dirname "$0")/../support/functions.sh"
requires systemd-analyze nbd-client
generator=/lib/systemd/system-generators/systemd-fstab-generator
[[ -x $generator ]] || skip "want $generator"
workdir

examples=$tests/../examples
mkdir units
cp "$examples/interposed-nbd@.service" units
sed "s#/usr/sbin/interposed\(ctl\)\?#/bin/true#" "$examples/interposed.service" >units/interposed.service
sed "s#/usr/sbin/interposectl#/bin/true#" "$examples/interposed-guard.service" >units/interposed-guard.service
SYSTEMD_FSTAB=$(realpath "$examples/fstab") "$generator" "$work/units" "$work/units" "$work/units" ||
    fail 'fstab is not understood'
grep -qx 'Requires=interposed-nbd@nbd0.service' units/home.mount || fail 'the mount does not require the unit'
grep -qx 'After=interposed-nbd@nbd0.service' units/home.mount || fail 'the mount does not wait for the unit'
[[ -e units/remote-fs.target.wants/home.mount ]] || fail 'the mount is not of the network'
cp "$examples/interposed-nbd@.service" "units/interposed-nbd@nbd0.service"
SYSTEMD_UNIT_PATH=$work/units: systemd-analyze verify --man=no --recursive-errors=no \
    home.mount interposed-nbd@nbd0.service interposed-guard.service >said.txt 2>&1 || fail "$(<said.txt)"
! grep -E 'interposed|home' said.txt || fail 'systemd complains'
