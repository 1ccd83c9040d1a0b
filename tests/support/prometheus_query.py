"""What a Prometheus says: prometheus_query.py HOST:PORT EXPRESSION prints the value, and
prometheus_query.py HOST:PORT --dashboard FILE tries every query of a Grafana dashboard."""

import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request


def query(address: str, expression: str) -> list:
    url = f"http://{address}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as refused:
        sys.exit(f"{expression}: {refused.read().decode()}")


def try_dashboard(address: str, file: str) -> None:
    """Every query must be understood; those of a panel that always has something find it."""
    with open(file, encoding="utf-8") as text:
        dashboard = json.load(text)
    empty = []
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            expression = re.sub(r"\$(instance|export|device)\b", ".*", target["expr"])
            expression = expression.replace("$__rate_interval", "1m")
            if not query(address, expression) and "> 0" not in expression:
                empty.append(f"{panel['title']}: {expression}")
    for variable in dashboard["templating"]["list"]:
        found = re.fullmatch(r"label_values\((\w+).*, (\w+)\)", variable.get("definition", ""))
        if found and not any(found[2] in one["metric"] for one in query(address, found[1])):
            empty.append(variable["definition"])
    sys.exit("nothing found for\n" + "\n".join(empty) if empty else 0)


if sys.argv[2] == "--dashboard":
    try_dashboard(sys.argv[1], sys.argv[3])
results = query(sys.argv[1], sys.argv[2])
if len(results) != 1:
    sys.exit(f"{sys.argv[2]}: want one value, found {results}")
print(results[0]["value"][1])
