#!/usr/bin/env bash
# --check shows who may do what, with the numbers that users and groups have, and names those that there
# are not at their places. The example of the manual page is one that works.
source "$(dirname "$0")/../support/functions.sh"
workdir

truncate -s 1M vault.img
sed -n '/^\.SH ACCESS RULES/,/^\.SH SEGMENTS/{/^\.EX/,/^\.EE/{/^\.E[XE]/!p}}' \
    "$tests/../docs/man/interposed.json.5" | sed "s/\\\\-/-/g; s#/srv/images#$work#" >config.json
"$INTERPOSED" --check config.json | tee out.txt
sed '/^    device/,$d' out.txt | diff - <(cat <<'END'
listener unix:///run/interposed/nbd.sock:
    clients:
        group "disk" (6): read-write
        user "backup" (34): read-write

export "vault": size 1048576 (1 MiB), claim exclusive, read-write
    clients:
        address 192.0.2.17: read-write
        TLS subject "CN=backup,O=Example": read-write
        address 192.0.2.0/24: read-only
        user "backup" (34): read-write
        group "disk" (6): read-only
END
)
sed -i 's/"backup"/"no-such-user"/; s/"disk"/"no-such-group"/' config.json
! "$INTERPOSED" --check config.json 2>faults.txt || fail 'what there is not was taken'
diff faults.txt - <<'END'
config.json:4:35: listen[1].allow[0].group: want a group that this system knows, got "no-such-group"
config.json:4:62: listen[1].allow[1].user: want a user that this system knows, got "no-such-user"
config.json:12:18: exports[0].allow[3].user: want a user that this system knows, got "no-such-user"
config.json:13:19: exports[0].allow[4].group: want a group that this system knows, got "no-such-group"
END
