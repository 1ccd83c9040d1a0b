#!/usr/bin/env bash
# Both formats of the metrics are right by what others say of them: promtool, and the reader of
# OpenMetrics of Prometheus' own Python library; after requests of all kinds, some of which fail,
# and with a name that wants to be more than a name.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/metrics.sh"
requires promtool nbdcopy qemu-io
requires_python nbd
requires_python prometheus_client.openmetrics.parser
workdir

check_both() {
    scrape 'text/plain' >text.txt
    promtool check metrics <text.txt >said.txt 2>&1 || fail "promtool: $(cat said.txt)"
    expect_eq "$(cat said.txt)" '' 'what promtool says'
    scrape 'application/openmetrics-text; version=1.0.0' >openmetrics.txt
    /usr/bin/python3 - <<'END'
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = {each.name: each for each in text_string_to_metric_families(open("openmetrics.txt").read())}
exports = {each.labels["export"] for each in families["interposed_export_size_bytes"].samples}
assert exports == {"vol", 'ö "q" \\ \n,kind="read"} 1'}, exports
END
}

serve_with_metrics
check_both
head -c 64M /dev/urandom >data.img
nbdcopy --flush data.img "$(vol)"
qemu-io -f raw -d unmap -c 'write -z 0 64k' -c 'discard 64k 64k' -c 'read 1 512' "$(vol)" >/dev/null
nbdinfo --map "$(vol)" >/dev/null
truncate -s 0 bad.img
/usr/bin/python3 "$tests/support/failing_reads.py" "$(vol)" "$((63 << 20))" 5
check_both
grep -qx 'interposed_request_errors_total{export="vol",kind="read",reason="io"} 5' text.txt ||
    fail "want five errors, found $(grep 'errors_total{export="vol"' text.txt)"
grep -qx 'interposed_requests_total{export="vol",kind="trim"} 1' text.txt || fail 'want one trim'
stop_server
