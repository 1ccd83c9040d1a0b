#!/usr/bin/env bash
# Who may use an export through a Unix socket is decided by users and groups, also supplementary ones,
# and for reading apart from writing. Rules of addresses are for nobody there.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/access.sh"
workdir

open_folder
cat >config.json <<END
{"listen": [$open_socket], "exports": [
  $(export_for vol '{"user": "backup"}, {"group": "games", "access": "read_only"},
                    {"user": 4711, "group": "815"}, {"group": 816}'),
  $(export_for addresses '"0.0.0.0/0", "::/0", {"address": "127.0.0.1", "psk": "a"}'),
  $(export_for any '"unix"'),
  $(export_for readers '{"access": "read_only"}')
]}
END
start_server config.json
expect_may() { expect_eq "$(may_as "${@:2}")" "$1" "for ${*:2}"; }

expect_may read-write backup nogroup ''
expect_may nothing nobody nogroup ''
expect_may nothing root root 'backup,daemon'   # root is a user as any other
expect_may read-only nobody games ''
expect_may read-only nobody nogroup 'daemon,games'
expect_may read-only nobody nogroup "$(seq -s, 20000 20200),games"
expect_may read-write backup games ''          # the most generous of the rules that match
expect_may nothing 4711 816000 ''
expect_may nothing 4712 815 ''
expect_may read-write 4711 815 ''
expect_may read-write 4711 nogroup 815
expect_may read-write games 816 games
for user in root nobody; do
    expect_may nothing $user nogroup '' addresses
    expect_may read-write $user nogroup '' any
    expect_may read-only $user nogroup '' readers
done
expect_in "$(<server.log)" 'export "vol": denied: want what one of the 4 rules of its "allow" lets in'
stop_server
