#!/usr/bin/env bash
# Every example is right by the schema and by the loader, on devices of its names and sizes.
source "$(dirname "$0")/../support/functions.sh"
requires_python jsonschema
workdir

"$tests/../tools/interposed-tls-init" tls --client backup --psk alice >tls.txt
for example in "$tests"/../examples/*.json; do
    [[ $example != */grafana-* ]] || continue   # not for the server
    name=$(basename "$example")
    # Its devices, as sparse files in this folder.
    for device in $(grep -oE '/(dev|srv)/[^" ]+' "$example"); do
        mkdir -p ".$(dirname "$device")"
        truncate -s 64G ".$device"
    done
    sed -E "s#(\"| )/(dev|srv)/#\1$PWD/\2/#; s#\"[^\"]*/(dev/nbd[0-9]+)\"#\"/\1\"#" "$example" >"$name"
    "$INTERPOSED" --check "$name" >out.txt 2>&1 || fail "$name: $(cat out.txt)"
    /usr/bin/python3 - "$name" "$tests/../config/interposed.schema.json" <<'END'
import json, re, sys, jsonschema
text = re.sub(r"^\s*//.*$", "", open(sys.argv[1]).read(), flags=re.M)
jsonschema.validate(json.loads(text), json.load(open(sys.argv[2])))
END
done
