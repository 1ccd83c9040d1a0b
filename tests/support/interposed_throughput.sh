#!/usr/bin/env bash
# In the virtual machine: what fio gets of a volume by itself, and with the server in its path, taking
# turns. Prints a row for each kind of load. bench/interposition runs it.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/interposing.sh"
in_machine --disk 256M

rounds=${rounds:-3}
start_interposer
volume=$(make_volume vol "/dev/vdc 0 $(sectors /dev/vdc)")
declare -A best

measure() { # WHERE NAME FIO-OPTION...
    fio --output=fio.json --output-format=json --name=load --filename="$volume" --direct=1 \
        --ioengine=libaio --time_based --runtime=4 --size=100% "${@:3}" >/dev/null
    local kib
    kib=$(/usr/bin/python3 -c 'import json
job = json.load(open("fio.json"))["jobs"][0]
print(int(job["read"]["bw"] + job["write"]["bw"]))')
    ((kib <= ${best[$1 $2]:-0})) || best[$1 $2]=$kib
}
measure_all() { # WHERE
    local kind
    for kind in randread randwrite; do measure "$1" "4 KiB $kind" --rw=$kind --bs=4k --iodepth=16; done
    for kind in read write; do measure "$1" "1 MiB $kind" --rw=$kind --bs=1M --iodepth=4; done
}
for ((round = 0; round < rounds; round++)); do
    measure_all bare
    ctl interpose vol >/dev/null
    measure_all interposed
    ctl release vol >/dev/null
done
printf '%-16s %12s %12s %8s\n' load 'bare KiB/s' 'interposed' ratio
for kind in '4 KiB randread' '4 KiB randwrite' '1 MiB read' '1 MiB write'; do
    printf '%-16s %12s %12s %7s%%\n' "$kind" "${best[bare $kind]}" "${best[interposed $kind]}" \
        $((100 * ${best[interposed $kind]} / ${best[bare $kind]}))
done
