#!/usr/bin/env bash
# A real Prometheus, told of the server as in examples/prometheus.yml, sees what clients do; and it
# understands every query of the Grafana dashboard.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/metrics.sh"
requires prometheus promtool nbdcopy
requires_python nbd
workdir

promtool check config "$tests/../examples/prometheus.yml" >/dev/null
serve_with_metrics
start_prometheus
expect_query 'sum(up{job="interposed"})' 1
expect_query 'interposed_requests_total{export="vol",kind="write"}' 0

head -c 64M /dev/urandom >data.img
nbdcopy --request-size=1048576 --flush data.img "$(vol)"
expect_query 'interposed_requests_total{export="vol",kind="write"}' 64
expect_query 'interposed_request_bytes_total{export="vol",kind="write"}' "$((64 << 20))"
expect_query 'interposed_request_duration_seconds_count{export="vol",kind="write"}' 64
expect_query 'interposed_request_duration_seconds_bucket{export="vol",kind="write",le="+Inf"}' 64
expect_query 'interposed_device_request_bytes_total{device=~".*/bad.img",kind="write"}' "$((1 << 20))"
expect_query 'interposed_requests_in_flight{export="vol"}' 0

truncate -s 0 bad.img   # behind the server's back
/usr/bin/python3 "$tests/support/failing_reads.py" "$(vol)" "$((63 << 20))" 7
expect_query 'sum(interposed_request_errors_total{export="vol"})' 7
expect_query 'count(rate(interposed_requests_total[1m]) > 0) > bool 0' 1
expect_query 'histogram_quantile(0.99, sum by (le) (rate(interposed_request_duration_seconds_bucket[1m]))) > bool 0' 1
/usr/bin/python3 "$tests/support/prometheus_query.py" "$prometheus" --dashboard \
    "$tests/../examples/grafana-dashboard.json" || fail 'the dashboard asks for what is not there'
stop_server
expect_query 'sum(up{job="interposed"})' 0
