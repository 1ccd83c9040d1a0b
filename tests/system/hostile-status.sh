#!/usr/bin/env bash
# BLOCK_STATUS of a file that is in thousands of pieces, hundreds of requests in flight, and nobody
# reads the replies: memory stays bounded. When they are read, each request was answered once.
source "$(dirname "$0")/../support/functions.sh"
workdir

truncate -s 64M a.img
segments=()
for ((at = 60; at >= 0; at -= 4)); do # the last first, so that none joins the next
    segments+=("{\"kind\": \"linear\", \"device\": \"a.img\", \"offset\": \"${at}MiB\",
                \"length\": \"4MiB\"}")
done
cat >config.json <<END
{
  "listen": ["unix://$PWD/nbd.sock"],
  "limits": {"memory": "64MiB"},
  "exports": [{"name": "", "table": [$(IFS=,; echo "${segments[*]}")]}]
}
END
start_server config.json
"$tests/support/hostile/status.py" "$server" "nbd+unix:///?socket=$PWD/nbd.sock" a.img
stop_server
