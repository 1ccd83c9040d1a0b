#!/usr/bin/env bash
# Every verb, option and event of interposectl is in its completion for bash.
source "$(dirname "$0")/../support/functions.sh"
workdir
ctl=$(dirname "$INTERPOSED")/interposectl/interposectl
source "$tests/../interposectl/completion.bash"
completed() { # WORD COMPLETION
    [[ " ${2//$'\n'/ } " == *" $1 "* ]] || fail "no completion of $1"
}
"$ctl" help | sed -n 's/^  \([a-z]\+\) .*/\1/p' >verbs.txt
[[ $(wc -l <verbs.txt) -ge 25 ]] || fail "want every verb in the help, found: $(cat verbs.txt)"
while read -r verb; do
    completed "$verb" "$_interposectl_verbs"
    for option in $("$ctl" help ${verb#help} | grep -o '^  --[a-z-]*'); do
        completed "$option" "$(_interposectl_options "${verb#help}")"
    done
done <verbs.txt
for event in $("$ctl" help wait | tr -d ,. | sed -n '/^EVENT is/,/^$/{s/EVENT is//;s/ or / /;p}'); do
    completed "$event" "$(cur='' && _interposectl_operand wait 0 && echo "${COMPREPLY[*]}")"
done
