# shellcheck shell=bash
# What the tests of "run_as" share, on top of functions.sh, control.sh and service.sh.

# Lets others into the work directory, and makes state_dir theirs. The server becomes "nobody".
open_to_all() {
    ((EUID == 0)) || skip 'want root'
    id nobody >/dev/null 2>&1 && getent group disk >/dev/null || skip 'want user nobody and group disk'
    chmod 755 .
}

# A name of its own for a loop device, that the group may open. Here nobody sees to /dev.
disk_node() { # NAME GROUP LOOP-DEVICE
    mknod "$1" b $((0x$(stat --format=%t "$3"))) $((0x$(stat --format=%T "$3")))
    chown "root:$2" "$1"
    chmod 660 "$1"
}
