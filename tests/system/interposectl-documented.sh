#!/usr/bin/env bash
# Every verb, option and event of interposectl is in its man page and its completion, every key of
# the configuration in interposed.json(5), and every option of the server in interposed(8).
source "$(dirname "$0")/../support/functions.sh"
workdir
ctl=$(dirname "$INTERPOSED")/interposectl/interposectl
man=$tests/../docs/man
source "$tests/../interposectl/completion.bash"

in_page() { # PAGE WORD
    sed 's/\\-/-/g; s/\\f.//g' "$man/$1" | grep -qwF -e "$2" || fail "$1 does not tell of $2"
}
completed() { # WORD COMPLETION
    [[ " ${2//$'\n'/ } " == *" $1 "* ]] || fail "no completion of $1"
}

"$ctl" help | sed -n 's/^  \([a-z]\+\) .*/\1/p' >verbs.txt
[[ $(wc -l <verbs.txt) -ge 25 ]] || fail "want every verb in the help, found: $(cat verbs.txt)"
while read -r verb; do
    in_page interposectl.8 "$verb"
    completed "$verb" "$_interposectl_verbs"
    for option in $("$ctl" help ${verb#help} | grep -o '^  --[a-z-]*'); do
        in_page interposectl.8 "$option"
        completed "$option" "$(_interposectl_options "${verb#help}")"
    done
done <verbs.txt
for event in $("$ctl" help wait | tr -d ,. | sed -n '/^EVENT is/,/^$/{s/EVENT is//;s/ or / /;p}'); do
    for page in interposectl.8 interposed-control.7; do in_page $page "$event"; done
    completed "$event" "$(cur='' && _interposectl_operand wait 0 && echo "${COMPREPLY[*]}")"
done
for option in $("$INTERPOSED" --help | grep -o '^  --[a-z-]*'); do in_page interposed.8 "$option"; done
/usr/bin/python3 -c 'import json, sys
def keys(at):
    yield from at.get("properties", {})
    for each in at.values(): yield from keys(each) if isinstance(each, dict) else []
print(*keys(json.load(open(sys.argv[1]))), sep="\n")' "$tests/../config/interposed.schema.json" |
    while read -r key; do in_page interposed.json.5 "$key"; done
! command -v mandoc >/dev/null || mandoc -Tlint "$man"/*.[578] || fail "mandoc warns"
