# shellcheck shell=bash
# What the tests of tests/package share: a test is one file that is run on the host and then, once for
# each boot, in a Debian with systemd. See tests/package/README.md. Sources vm.sh.
INTERPOSED=/bin/true # nobody but systemd starts a server here
source "$(dirname "${BASH_SOURCE[0]}")/vm.sh"

built=$(realpath "$tests/..")/build-tools/package
packages() { # builds it, unless it is there
    requires dpkg-buildpackage dh meson
    "$tests/support/build-package" "$built" >package.log 2>&1 || fail "$(tail -n 100 package.log)"
}

# On the host: builds what is missing, boots the machine once for each of the functions, one after the
# other, with the same disks: the root and /dev/vdc, of 128 MiB, which is disk.img on the host. Calls
# `on_host_afterwards` if there is one. In the machine: calls the function.
boots() { # FUNCTION...
    if [[ ${in_guest:-} == yes ]]; then
        set -o errtrace # in functions too
        trap 'printf "line %s: failed: %s\n" "$LINENO" "$BASH_COMMAND" >&2' ERR
        workdir
        "${function:?}"
        trap - ERR
        return
    fi
    requires qemu-system-x86_64 qemu-img debootstrap mke2fs unshare
    ((EUID == 0)) || skip 'want root, to debootstrap'
    workdir
    packages
    local vm=$tests/../build-tools/vm each
    "$tests/support/build-machine" "$vm" >machine.log 2>&1 || fail "$(<machine.log)"
    "$tests/support/build-system" "$built/system" "$vm" "$built"/packages/interposed_*.deb >system.log 2>&1 ||
        fail "$(<system.log)"
    mkdir debs
    cp "$built"/packages/interposed_*.deb debs/now.deb
    cp "$built"/next/interposed_*.deb debs/next.deb
    cp -r "$tests/../debian/tests" debs
    qemu-img create -q -f qcow2 -F raw -b "$(realpath "$built/system/system.img")" root.qcow2
    ln -s "$(realpath "$built/system/initramfs")" initramfs
    truncate -s 128M disk.img
    for each; do boot "$each" || exit; done
    ! declare -F on_host_afterwards >/dev/null || on_host_afterwards
}

boot() { # FUNCTION
    local code=0 began=$SECONDS
    "$tests/vm/machine" --system . --packages debs --disk disk.img --limit 900 --set "function=$1" \
        "$tests/package/$(basename "$0")" &
    at_exit end_machine $!
    wait $! || code=$?
    echo "$1: $((SECONDS - began)) seconds"
    return $code
}

# --- in the machine ------------------------------------------------------------------------------

configuration=/etc/interposed/interposed.json
ctl() { timeout 100 interposectl "$@"; }
uri() { echo "nbd+unix:///${1-vol}?socket=/run/interposed/nbd.sock"; } # [EXPORT]

install() { # DEB
    DEBIAN_FRONTEND=noninteractive apt-get install --yes "$1" >apt.log 2>&1 || fail "$(<apt.log)"
}

# Gives the configuration of the package these exports; it stays as it is otherwise.
configure() { # EXPORTS
    sed -i '/^  "exports": \[/,/^  \]/d' "$configuration"
    sed -i "\$i \\  \"exports\": [$1]" "$configuration"
    interposed --check "$configuration" >/dev/null
}

# The example of an export that is /dev/nbd1, as "data", with the two halves of this disk of 128 MiB.
attach_example() { # DISK
    sed "s#/dev/disk/by-id/first\", \"length\": \"40GiB#$1\", \"length\": \"64MiB#
        s#/dev/disk/by-id/second\"#$1\", \"offset\": \"64MiB\"#" /test/examples/attach.json \
        >/etc/interposed/data.json
}

enable_now() { # UNIT
    systemctl --quiet enable --now "$1" || fail "$(systemctl status "$1"; journalctl --unit "$1" --output cat)"
}

main_pid() { systemctl show --property MainPID --value "${1:-interposed}"; } # [UNIT]
has_come_back() { [[ $(main_pid "$2") != "$1" ]] && systemctl --quiet is-active "$2"; } # PID UNIT
# Another process than this one is active.
serves_again() { # PID [UNIT]
    local unit=${2:-interposed}
    eventually 60 has_come_back "$1" "$unit" || fail "$(systemctl status "$unit")"
}
