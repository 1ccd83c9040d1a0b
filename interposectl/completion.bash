# bash completion for interposectl                                          -*- shell-script -*-

# What the server says on one line, or nothing: nobody waits for a completion.
_interposectl_ask() { # VERB...
    timeout 1 "$_interposectl_program" ${_interposectl_socket:+--socket "$_interposectl_socket"} \
        --json "$@" 2>/dev/null </dev/null
}

# The values of a key in JSON; those that would need unescaping are left out.
_interposectl_strings() { # KEY
    grep -o "\"$1\":\"[^\"\\\\]*\"" | sed "s/^\"$1\":\"//; s/\"\$//"
}

# Offers each line of the input, quoted as the shell needs it.
_interposectl_offer_lines() {
    local line quoted bare=${cur#[\"\']}
    while IFS= read -r line; do
        if [[ $cur == [\"\']* ]]; then
            [[ $line != "$bare"* ]] || COMPREPLY+=("$line")
        else
            printf -v quoted %q "$line"
            [[ $quoted != "$cur"* && $line != "$cur"* ]] || COMPREPLY+=("$quoted")
        fi
    done
}

_interposectl_offer() { # WORD...
    mapfile -t COMPREPLY < <(compgen -W "$*" -- "$cur")
}

_interposectl_exports() {
    _interposectl_offer_lines < <(_interposectl_ask ls | _interposectl_strings name)
}

_interposectl_sessions() {
    _interposectl_offer_lines < <(
        _interposectl_ask sessions | grep -o '"session":[0-9]*' | cut -d: -f2
    )
}

_interposectl_clients() {
    # IP addresses without the port, and of IPv6 without the brackets.
    _interposectl_offer_lines < <(
        _interposectl_ask sessions | _interposectl_strings client |
            sed -E 's/^\[(.*)\](:[0-9]+)?$/\1/; s/^([0-9.]+):[0-9]+$/\1/' | sort -u
    )
}

_interposectl_volumes() {
    _interposectl_offer_lines < <(cat /sys/block/dm-*/dm/name 2>/dev/null)
}

_interposectl_interposed() {
    _interposectl_offer_lines < <(_interposectl_ask interposed | _interposectl_strings volume)
}

_interposectl_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

_interposectl_options() { # VERB
    local common='--socket --json --help'
    case $1 in
        '') echo "$common --version" ;;
        table) echo "--inactive --dm $common" ;;
        map) echo "--inactive $common" ;;
        load) echo "--dm $common" ;;
        remove) echo "--drain --disconnect $common" ;;
        suspend | resume) echo "--noflush --timeout $common" ;;
        drain) echo "--undo --wait $common" ;;
        qos) echo "--iops --iops-burst --bandwidth --bandwidth-burst --client-iops" \
            "--client-iops-burst --client-bandwidth --client-bandwidth-burst $common" ;;
        claim) echo "--timeout $common" ;;
        attach) echo "--connections --block-size --timeout --dead-conn-timeout --identifier" \
            "$common" ;;
        detach) echo "--force $common" ;;
        disconnect) echo "--now --export --client $common" ;;
        trace) echo "--export --client $common" ;;
        log) echo "--level --format $common" ;;
        reload) echo "--drain --disconnect --configuration-wins --runtime-wins $common" ;;
        top) echo "--interval --count --devices $common" ;;
        wait) echo "--timeout $common" ;;
        interpose) echo "--dry-run --force --export --device --timeout --fail-open" \
            "--fail-open-after $common" ;;
        release) echo "--force --timeout $common" ;;
        *) echo "$common" ;;
    esac
}

_interposectl_verbs='ls status table map create remove load clear suspend resume resize reopen
    drain qos claim attach detach attached interpose release interposed guard sessions disconnect trace log
    reload top statistics metrics wait version help'

_interposectl_takes_value() { # OPTION
    case $1 in
        --device | --socket | --timeout | --interval | --count | --level | --format | --export | --client | \
            --connections | --block-size | --dead-conn-timeout | --identifier | --fail-open-after | --iops* | --bandwidth* | --client-*) return 0 ;;
    esac
    return 1
}

_interposectl_value() { # OPTION
    case $1 in
        --socket | --device) _interposectl_files ;;
        --export) _interposectl_exports ;;
        --client) _interposectl_clients ;;
        --level) _interposectl_offer error warning info debug ;;
        --format) _interposectl_offer text json ;;
    esac
}

_interposectl_operand() { # VERB INDEX
    case $1:$2 in
        :0) _interposectl_offer "$_interposectl_verbs" ;;
        help:0) _interposectl_offer "$_interposectl_verbs" ;;
        wait:0) _interposectl_offer connected disconnected created removed loaded swapped \
            suspended resumed drained reloaded flush_error any ;;
        wait:1) _interposectl_exports ;;
        trace:0) _interposectl_offer on off ;;
        claim:1) _interposectl_offer adopted shared ;;
        trace:1 | disconnect:0) _interposectl_sessions ;;
        create:0 | load:1) _interposectl_files ;;
        interpose:0) _interposectl_volumes ;;
        release:0 | interposed:0 | guard:0) _interposectl_interposed ;;
        status:0 | table:0 | map:0 | remove:0 | load:0 | clear:0 | suspend:0 | resume:0 | \
            resize:0 | reopen:0 | drain:0 | qos:0 | claim:0 | attach:0 | detach:0 | sessions:0) _interposectl_exports ;;
    esac
}

_interposectl() {
    local words=("${COMP_WORDS[@]}") cword=$COMP_CWORD cur=${COMP_WORDS[COMP_CWORD]}
    local verb='' operands=0 option='' word i
    local _interposectl_program=$1 _interposectl_socket=''
    COMPREPLY=()
    # With bash-completion there, a name with colons is one word.
    ! declare -F _get_comp_words_by_ref >/dev/null || _get_comp_words_by_ref -n : cur words cword
    # "--option=value" comes as three words.
    [[ $cur != = ]] || cur=
    for ((i = 1; i < cword; i++)); do
        word=${words[i]}
        if [[ $word == = ]]; then
            continue
        elif [[ -n $option ]]; then
            [[ $option != --socket ]] || _interposectl_socket=$word
            option=
        elif _interposectl_takes_value "$word"; then
            option=$word
        elif [[ $word == --* ]]; then
            continue
        elif [[ -z $verb ]]; then
            verb=$word
        else
            operands=$((operands + 1))
        fi
    done
    if [[ -n $option ]]; then
        _interposectl_value "$option"
    elif [[ $cur == -* ]]; then
        _interposectl_offer "$(_interposectl_options "$verb")"
    else
        _interposectl_operand "$verb" "$operands"
    fi
    # Readline takes only what follows the last colon to be the word.
    ! declare -F __ltrim_colon_completions >/dev/null || __ltrim_colon_completions "$cur"
}

complete -F _interposectl interposectl
