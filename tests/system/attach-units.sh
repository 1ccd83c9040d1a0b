#!/usr/bin/env bash
# systemd understands what the examples have for it: the unit that attaches a device, and the mounts that
# come of the lines for fstab. One requires the unit of the kernel's client, one comes after the server
# that attaches by itself, and both are of the network.
source "$(dirname "$0")/../support/functions.sh"
requires systemd-analyze nbd-client
generator=/lib/systemd/system-generators/systemd-fstab-generator
[[ -x $generator ]] || skip "want $generator"
workdir

examples=$tests/../examples
mkdir units
cp "$examples/interposed-nbd@.service" units
for unit in interposed interposed-attach@ interposed-guard; do
    sed "s#^ExecStart=[^ ]*#ExecStart=$INTERPOSED#" "$(dirname "$INTERPOSED")/systemd/$unit.service" \
        >"units/$unit.service"
done
SYSTEMD_FSTAB=$(realpath "$examples/fstab") "$generator" "$work/units" "$work/units" "$work/units" ||
    fail 'fstab is not understood'
grep -qx 'Requires=interposed-nbd@nbd0.service' units/home.mount || fail 'the mount does not require the unit'
grep -qx 'After=interposed-nbd@nbd0.service' units/home.mount || fail 'the mount does not wait for the unit'
grep -qx 'After=interposed-attach@data.service' units/srv-data.mount || fail 'the mount does not wait'
! grep -q '^Requires=interposed' units/srv-data.mount || fail 'a restart would unmount it'
for mount in home srv-data; do
    [[ -e units/remote-fs.target.wants/$mount.mount ]] || fail "$mount is not of the network"
done
for unit in interposed-nbd@nbd0 interposed-attach@data; do
    cp "units/${unit%@*}@.service" "units/$unit.service"
done
SYSTEMD_UNIT_PATH=$work/units: systemd-analyze verify --man=no --recursive-errors=no home.mount \
    srv-data.mount interposed-nbd@nbd0.service interposed-attach@data.service \
    interposed-guard.service >said.txt 2>&1 ||
    fail "$(<said.txt)"
! grep -E 'interposed|home|srv' said.txt || fail 'systemd complains'
