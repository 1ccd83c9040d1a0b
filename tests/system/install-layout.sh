#!/usr/bin/env bash
# `meson install` puts things below its prefix and DESTDIR and nowhere else, and what is installed
# runs.
source "$(dirname "$0")/../support/functions.sh"
requires meson
workdir

build=$(dirname "$INTERPOSED")
meson install -C "$build" --no-rebuild --quiet --destdir "$PWD/root"
installed=$(find root -name interposed -type f -executable)
expect_eq "$installed" root/usr/local/sbin/interposed "the server"
"$installed" --version
find root -type f -printf '/%P\n' >files.txt
! grep -v '^/usr/local/' files.txt || fail "files outside the prefix"

meson setup --prefix=/opt/interposed -Dtests=false -Dbench=false other "$tests/.." >log.txt
meson introspect --installed other >plan.json
/usr/bin/python3 - plan.json <<'END'
import json, sys
plan = json.load(open(sys.argv[1])).values()
assert "/opt/interposed/sbin/interposed" in plan, plan
assert all(path.startswith("/opt/interposed/") for path in plan), plan
END
