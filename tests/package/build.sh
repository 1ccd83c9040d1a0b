#!/usr/bin/env bash
# The tarball of `meson dist` builds, and so does the package, from it: lintian has nothing to say, the
# versions agree, and everything is where it belongs.
source "$(dirname "$0")/../support/package.sh"
requires lintian
workdir
packages

lintian --allow-root --info --fail-on error,warning,info "$built"/packages/*.changes || fail 'lintian complains'
deb=$(echo "$built"/packages/interposed_*.deb)
version=$(dpkg-deb --field "$deb" Version)
dpkg-deb --extract "$deb" root
expect_eq "$(root/usr/sbin/interposed --version)" "interposed $version"
expect_eq "$(root/usr/sbin/interposectl --version)" "interposectl $version"
root/usr/sbin/interposed --check root/etc/interposed/interposed.json
(cd root && find . -type f) | sed 's#^\.##' | sort >files.txt
for path in /usr/share/man/man8/interposed.8.gz /usr/share/man/man5/interposed.json.5.gz \
    /usr/share/bash-completion/completions/interposectl /usr/share/doc/interposed/copyright; do
    grep -qx "$path" files.txt || fail "there is no $path in it"
done
! grep -vE '^/usr/(s?bin/|share/(man|doc/interposed|lintian/overrides|bash-completion)/|lib/(sysusers|tmpfiles)\.d/)|^/lib/systemd/system/|^/etc/interposed/' \
    files.txt || fail 'that is in it too'
expect_eq "$(dpkg-deb --info "$deb" conffiles)" /etc/interposed/interposed.json 'configuration files'
