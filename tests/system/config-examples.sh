#!/usr/bin/env bash
# Every configuration that people are shown is right by the schema and by the loader, on devices of its
# names: those of examples/, of the manual pages, and of the README and the documents.
source "$(dirname "$0")/../support/functions.sh"
requires_python jsonschema
workdir

"$tests/../tools/interposed-tls-init" tls --client backup --psk alice >tls.txt
/usr/bin/python3 "$tests/unit/config_schema.py" || fail 'the schema and the samples differ'
top=$tests/..
examples=()
for example in "$top"/examples/*.json; do
    [[ $example == */grafana-* ]] || examples+=("$example")   # not for the server
done
mkdir manual
/usr/bin/python3 "$tests/support/manual_examples.py" manual
compgen -G 'manual/*.json' >/dev/null || fail 'want a configuration in the manual pages'
/usr/bin/python3 "$tests/support/check_example.py" "$INTERPOSED" "${examples[@]}" manual/*.json \
    "$top/README.md" "$top"/docs/*.md || fail 'an example is wrong'
