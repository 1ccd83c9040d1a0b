# shellcheck shell=bash
# Two images; a server with the configuration in /etc, a service manager's word to it, and what waits for
# one that was just started.
truncate --size 1M first.img second.img
serve_vol0
systemctl() {
    expect_eq "$*" 'reload interposed'
    kill -HUP "$server"
    eventually 60 grep -q 'reloaded' server.log
}
journalctl() { expect_eq "$*" INTERPOSED_EXPORT=vol0; }
nbdinfo() { eventually 60 command nbdinfo "$@"; }
