#!/usr/bin/env bash
# A reload does not take from clients what they were told of an export, nor the export itself; and it
# does not change what takes effect with a restart only. Whatever else is in it is not done either.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/claims.sh"
source "$tests/support/control.sh"
source "$tests/support/reloads.sh"
requires_python nbd
requires_loop_devices
workdir

serve_vol
write_with "$(volume vol "$(linear "$work/vol.img" 0 8)")" "$state"
refused_reload 'export "vol" has clients: want at least the 8388608 bytes'
write_with "$(volume vol "$(linear "$work/vol.img")" '"read_only": true')" "$state"
refused_reload 'want it writable'
write_with "$(volume vol "$(linear "$work/vol.img")" '"claim": "shared"')" "$state"
refused_reload 'want the claim and the cache mode'
write_with "$(volume vol "$(linear "$work/vol.img")" '"cache": "direct"')" "$state"
refused_reload 'want the claim and the cache mode'
also=$(volume b "$(linear "$work/b.img")") write_with "$(volume disk "$(linear "$disk")")" "$state"
refused_reload '"vol" is to go and has 2 connections'
for key in '"state_dir": "elsewhere"' "$state, \"metrics\": \"tcp://127.0.0.1:$(free_port)\""; do
    write_with "$vol" "$key"
    refused_reload 'take effect with a restart only'
done
write_with "$vol" "$state"
sed -i 's/"control": "[^"]*/&2/' config.json
refused_reload 'take effect with a restart only'
accepted_reload
