#!/usr/bin/env bash
# man formats every page without a warning, on a narrow terminal and a wide one, and finds them by name
# and by what their NAME lines say.
source "$(dirname "$0")/../support/functions.sh"
requires man mandb whatis apropos
workdir

pages=("$tests"/../docs/man/*.[1-9])
for page in "${pages[@]}"; do
    name=$(basename "$page")
    for width in 60 80 200; do
        LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=$width man --warnings --local-file "$page" >page.txt 2>said.txt ||
            fail "man: $name: $(<said.txt)"
        [[ ! -s said.txt ]] || fail "$name, $width columns: $(<said.txt)"
    done
    ! grep -n '\\[fe(*-]' page.txt || fail "$name: an escape that is not understood"
    install -D -m 644 "$page" "man/man${name##*.}/$name"
done
! command -v mandoc >/dev/null || mandoc -Tlint -Wwarning "${pages[@]}" || fail 'mandoc warns'

mandb --create --quiet man 2>said.txt || fail "mandb: $(<said.txt)"
[[ ! -s said.txt ]] || fail "mandb: $(<said.txt)"
for page in "${pages[@]}"; do
    name=$(basename "$page")
    MANPATH=$PWD/man whatis "${name%.*}" >found.txt || fail "whatis does not know ${name%.*}"
    grep -qE "^${name%.*} \(${name##*.}\) +- .+" found.txt || fail "$name: $(<found.txt)"
done
MANPATH=$PWD/man apropos 'NBD protocol' | grep -q '^interposed-protocol (7)' || fail 'apropos finds nothing'
