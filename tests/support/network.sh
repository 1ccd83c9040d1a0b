# shellcheck shell=bash
# What the tests of networks share, on top of vm.sh: another host, the network namespace "there", and
# links to it. Link N is vethN here and peerN there. This end has the addresses 198.18.N.1, fd18:N::1
# and fe80::1, the other the same with a 2: fe80::1 is another one on each link.

make_there() { # LINK...
    local link
    modprobe --all veth sch_netem
    ip netns add there
    ip -n there link set lo up
    for link; do
        ip link add "veth$link" type veth peer name "peer$link" netns there
        ip link set "veth$link" addrgenmode none
        ip -n there link set "peer$link" addrgenmode none
        link_up "$link"
    done
}
there() { ip netns exec there "$@"; } # COMMAND...

# With the link its addresses of IPv6 go, and come back with it.
link_up() { # LINK
    end_up "$1" 1 "veth$1" ip
    end_up "$1" 2 "peer$1" ip -n there
}
end_up() { # LINK HOST INTERFACE IP...
    "${@:4}" link set "$3" up
    "${@:4}" address replace "198.18.$1.$2/24" dev "$3"
    "${@:4}" address replace "fd18:$1::$2/64" dev "$3" nodad
    "${@:4}" address replace "fe80::$2/64" dev "$3" nodad
}

# Both ends do this to all that they send: netem's words.
disturb() { # LINK WHAT...
    tc qdisc replace dev "veth$1" root netem limit 100000 "${@:2}"
    there tc qdisc replace dev "peer$1" root netem limit 100000 "${@:2}"
}
undisturbed() { # LINK
    tc qdisc delete dev "veth$1" root 2>/dev/null || true
    there tc qdisc delete dev "peer$1" root 2>/dev/null || true
}

# The two ways in which a peer is gone without a word.
pull_the_plug() { ip -n there link set "peer$1" down; } # LINK
lose_everything() { disturb "$1" loss 100%; }          # LINK
mend() { # LINK
    undisturbed "$1"
    link_up "$1"
}
