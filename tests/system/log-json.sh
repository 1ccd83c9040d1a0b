#!/usr/bin/env bash
# A log for programs: every line is one JSON object, what begins with "session 7 (" has that session
# as a member, and its client and export, whatever their names.
source "$(dirname "$0")/../support/functions.sh"
requires_python nbd
workdir
truncate -s 1M a.img $'sho\t"rt".img'
cat >config.json <<'END'
{
  "listen": ["tcp://127.0.0.1:0"],
  "log": {"format": "json", "level": "debug"},
  "exports": [{"name": "v\"o\\l ü\u001b", "claim": "shared", "table": [
    {"kind": "linear", "device": "a.img", "length": "1MiB"},
    {"kind": "linear", "device": "sho\t\"rt\".img"}]}]
}
END
: >server.log
"$INTERPOSED" config.json 2>>server.log &
server=$!
at_exit kill_hard "$server"
eventually 30 grep -q '"message":"ready"' server.log || fail 'the server is not ready in time'
truncate -s 0 $'sho\t"rt".img'   # behind the server's back
uri=$(sed -n 's,.*listening on tcp\(://[^"]*\)".*,nbd\1,p' server.log)
/usr/bin/python3 "$tests/support/failing_reads.py" "$uri/v%22o%5Cl%20%C3%BC%1B" "$((1 << 20))" 3
stop_server

/usr/bin/python3 - <<'END'
import datetime, json, re
lines = [json.loads(line) for line in open("server.log", encoding="utf-8")]
failed = [line for line in lines if line["level"] == "error"]
assert len(failed) == 3, lines
assert [line["level"] for line in lines if line["message"].endswith(": chosen")] == ["debug"], lines
assert failed[0]["device"].endswith('/sho\t"rt".img'), failed
for line in lines:
    assert datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00")), line
    said = re.match(r"session (\d+) \((.*?)\): ", line["message"])
    who = (int(said[1]), said[2]) if said else (None, None)
    assert (line.get("session"), line.get("client")) == who, line
    assert not said or line["export"] == 'v"o\\l ü\x1b', line
END
