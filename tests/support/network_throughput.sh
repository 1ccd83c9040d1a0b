#!/usr/bin/env bash
# In the virtual machine: what nbdload gets of each server over a link with a delay, taking turns.
# Prints a row for each kind of load. bench/network runs it.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/network.sh"
in_machine

servers=(interposed nbdkit qemu-nbd nbd-server)
cells=('randread 4KiB 1 1' 'randread 4KiB 32 1' 'randread 4KiB 32 8' 'read 1MiB 8 1' 'read 1MiB 8 8'
    'write 1MiB 8 1' 'write 1MiB 8 8') # workload, block, depth, connections
address=198.18.0.1
port=10800
file=$work/vol.img
declare -A best

start_one() { # SERVER: which becomes the process `serving`
    port=$((port + 1))
    case $1 in
        interposed) exec "$INTERPOSED" --listen "tcp://$address:$port" "$file" ;;
        nbdkit) exec nbdkit -f -i "$address" -p "$port" /test/build/nbdkit-file-plugin.so "$file" ;;
        qemu-nbd) exec qemu-nbd -t -e 16 -b "$address" -p "$port" -f raw --cache=writeback \
            --aio=threads "$file" ;;
        nbd-server)
            printf '[generic]\nlistenaddr = %s\nport = %s\nmax_threads = 4\n' "$address" "$port" >conf
            printf '[bench]\nexportname = %s\nflush = true\nfua = true\n' "$file" >>conf
            rm -f pid
            nbd-server -C conf -p "$work/pid" ;;
    esac >"$1.log" 2>&1 &
    serving=$!
    at_exit kill_hard "$serving"
    eventually 60 greets || fail "$1 does not start: $(<"$1.log")"
    [[ $1 != nbd-server ]] || serving=$(<pid) # with -d it would serve one client only
}
greets() { there /usr/bin/python3 -c 'import socket, sys
assert socket.create_connection(sys.argv[1:], 5).recv(8) == b"NBDMAGIC"' "$address" "$port" 2>/dev/null; }
stop_one() {
    kill -TERM "$serving"
    eventually 60 has_ended "$serving" || kill_hard "$serving"
}

measure() { # SERVER CELL
    local workload block depth connections export='' figure
    read -r workload block depth connections <<<"$2"
    [[ $1 != nbd-server ]] || export=bench
    there nbdload "tcp:$address:$port" --export "$export" --workload "$workload" --block-size "$block" \
        --depth "$depth" --connections "$connections" --warmup 1 --seconds "$seconds" --json >load.json
    figure=$(/usr/bin/python3 -c 'import json, sys
print(round(json.load(open("load.json"))[sys.argv[1]]))' "$(unit "$2")")
    ((figure <= ${best[$1 $2]:-0})) || best[$1 $2]=$figure
}
unit() { if [[ $1 == *4KiB* ]]; then echo iops; else echo mib_per_s; fi; } # CELL

ratio() { # CELL: of ours to the best of the others
    local other most=0
    for other in "${servers[@]:1}"; do ((best[$other $1] <= most)) || most=${best[$other $1]}; done
    awk -v ours="${best[interposed $1]}" -v most="$most" 'BEGIN { printf "%.2f", ours / most }'
}

make_there 0
head -c 128M /dev/zero >"$file"
disturb 0 delay "$((round_trip_ms * 500))us"
for ((round = 0; round < rounds; round++)); do
    for server in "${servers[@]}"; do
        start_one "$server"
        for cell in "${cells[@]}"; do measure "$server" "$cell"; done
        stop_one
    done
done
printf '%-26s %-9s' 'load' 'unit'
printf ' %10s' "${servers[@]}" ratio
echo
for cell in "${cells[@]}"; do
    read -r workload block depth connections <<<"$cell"
    printf '%-26s %-9s' "$workload $block qd$depth x$connections" "$(unit "$cell")"
    for server in "${servers[@]}"; do printf ' %10s' "${best[$server $cell]}"; done
    printf ' %10s\n' "$(ratio "$cell")"
done
