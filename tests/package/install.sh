#!/usr/bin/env bash
# The package in a Debian with systemd: a fresh install runs, serves nothing and listens to nobody from
# outside; it serves what its configuration is given, through a reload that is refused, a restart, a kill
# and an upgrade, also under a writer on a filesystem of this host's kernel; it is not removed from under
# that; and a purge leaves nothing.
source "$(dirname "$0")/../support/package.sh"

fresh() {
    everything_there >before
    install /test/packages/now.deb
    systemctl --quiet is-active interposed || fail "$(systemctl status interposed)"
    systemctl --quiet is-enabled interposed || fail 'it would not be there after a boot'
    expect_eq "$(ctl --json ls)" '{"exports":[]}' exports
    expect_eq "$(awk '$4 == "0A"' /proc/net/tcp /proc/net/tcp6)" '' 'TCP sockets that listen'
    for each in /run/interposed/*.sock; do
        [[ $(stat --format %A "$each") == *--- ]] || fail "for all: $(ls -l "$each")"
    done
    bash /test/packages/tests/serves || fail "the package's own test: exit status $?"
}

serving() {
    local before
    mkdir /srv/images
    chown interposed /srv/images
    head -c 8M /dev/urandom >wanted.img
    truncate -s 8M /srv/images/vol.img
    chown interposed /srv/images/vol.img
    before=$(main_pid)
    configure "$(volume vol "$(linear /srv/images/vol.img)")"
    systemctl restart interposed # the folder is new
    serves_again "$before"
    nbdcopy wanted.img "$(uri)"
    echo nonsense >>"$configuration"
    systemctl reload interposed || true # what comes of it is said elsewhere, before systemd 253
    eventually 60 said 'nonsense\|interposed.json:[0-9]' || fail 'nobody complains of nonsense'
    sed -i '$d' "$configuration"
    before=$(main_pid)
    kill -KILL "$before"
    serves_again "$before"
    nbdcopy "$(uri)" found.img
    cmp found.img wanted.img
}
said() { journalctl --unit interposed --output cat | grep -q -- "$1"; } # PATTERN

upgraded() {
    local before served
    attach_example /dev/vdc
    enable_now interposed-attach@data
    make_filesystem ext4 /dev/nbd1 /mnt
    start_writer /mnt/file
    before=$(main_pid) served=$(main_pid interposed-attach@data)
    install /test/packages/next.deb
    serves_again "$before"
    serves_again "$served" interposed-attach@data
    expect_in "$(dpkg-query --show interposed)" '+next'
    for unit in interposed interposed-attach@data; do
        ! readlink "/proc/$(main_pid "$unit")/exe" | grep deleted || fail "$unit: the old one serves"
    done
    writers_go_on 30
    nbdcopy "$(uri)" - | cmp - wanted.img
    ! apt_get remove || fail 'the server is removed from under a mounted filesystem'
    expect_in "$(<apt.log)" "kernel is served by it: /sys/block/nbd1"
    writers_go_on 30
    stop_writers
    umount /mnt
    expect_clean ext4 /dev/nbd1
}

gone() {
    ctl --socket /run/interposed/data-control.sock detach data
    apt_get remove || fail "$(<apt.log)"
    [[ -s $configuration ]] || fail 'the configuration is gone with the program'
    ! pgrep --exact interposed || fail 'it is gone, and runs'
    rm -r /srv/images /etc/interposed/data.json
    apt_get purge || fail "$(<apt.log)"
    getent passwd interposed >/dev/null || fail 'the user is gone, and what it owned may be anybody'\''s'
    systemctl daemon-reload
    everything_there >after
    diff before after || fail 'what there is afterwards differs from what there was'
}

# All there is but for what belongs to dpkg, the journal and the like.
everything_there() {
    find / -xdev \( -path /proc -o -path /sys -o -path /tmp -o -path /root -o -path /var/lib/dpkg \
        -o -path /var/cache -o -path /var/log -o -path /var/lib/systemd -o -path /var/lib/apt \
        -o -path /etc/.pwd.lock -o -path '/etc/*-' \) -prune -o -print | sort
    find /run -path '/run/*interposed*'
    find /var/lib/systemd/deb-systemd-helper-* ! -type d | sort
    systemctl list-unit-files --no-legend
}
apt_get() { DEBIAN_FRONTEND=noninteractive apt-get "$1" --yes interposed >apt.log 2>&1; } # remove|purge

from_install_to_purge() {
    fresh
    serving
    upgraded
    gone
}
boots from_install_to_purge
