# shellcheck shell=bash
# What the tests of metrics share, on top of functions.sh.
PATH=$PATH:$tests/../build-tools/usr/bin   # what tests/support/unpack-packages has put there

# Starts a server with the export "vol" of 64 MiB, and one that nobody would call so, both over two
# images; the last one of each is bad.img, of 1 MiB. `metrics` is the address of its metrics.
serve_with_metrics() {
    truncate -s 64M a.img
    truncate -s 1M bad.img b.img
    cat >config.json <<'END'
{
  "listen": ["unix://nbd.sock"],
  "metrics": "tcp://127.0.0.1:0",
  "exports": [
    {"name": "vol", "claim": "shared", "table": [
      {"kind": "linear", "device": "a.img", "length": "63MiB"},
      {"kind": "linear", "device": "bad.img"}]},
    {"name": "ö \"q\" \\ \n,kind=\"read\"} 1", "table": [{"kind": "linear", "device": "b.img"}]}
  ]
}
END
    sed -i "s#unix://#&$PWD/#" config.json
    start_server config.json
    metrics=$(sed -n 's,.*metrics at http://\(.*\)/metrics$,\1,p' server.log)
}

vol() { echo "nbd+unix:///vol?socket=$PWD/nbd.sock"; }

# Prints what a scraper gets that accepts this type.
scrape() { # ACCEPT
    /usr/bin/python3 - "http://$metrics/metrics" "$1" <<'END'
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Accept": sys.argv[2]})
with urllib.request.urlopen(request, timeout=30) as answer:
    assert answer.headers["Content-Type"].startswith(sys.argv[2].split(";")[0]), answer.headers
    sys.stdout.buffer.write(answer.read())
END
}

# Starts a Prometheus that scrapes the server every second, as in examples/prometheus.yml otherwise;
# `prometheus` is its address.
start_prometheus() {
    sed -e "s/127.0.0.1:9809/$metrics/" -e 's/scrape_interval: .*/scrape_interval: 1s/' \
        "$tests/../examples/prometheus.yml" >prometheus.yml
    prometheus=127.0.0.1:$(free_port)
    prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb \
        --web.listen-address="$prometheus" 2>prometheus.log &
    at_exit kill_hard "$!"
}

# Prints the value of an expression that has one.
query() { # EXPRESSION
    /usr/bin/python3 "$tests/support/prometheus_query.py" "$prometheus" "$1"
}
becomes() { [[ $(query "$1" 2>/dev/null) == "$2" ]]; } # EXPRESSION VALUE
expect_query() { # EXPRESSION VALUE
    eventually 60 becomes "$@" || fail "$1: want $2, found $(query "$1")"
}
