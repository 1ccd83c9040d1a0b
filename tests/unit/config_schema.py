#!/usr/bin/env python3
"""The schema agrees with the samples, and takes every example.

config_samples_test.cpp gives the same samples to the loader: what is in invalid/ and in
beyond_schema/ it must refuse, the rest it must take.
"""

import json
import pathlib
import re
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "unit" / "config_samples"
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\r\n]*|/\*.*?\*/', re.DOTALL)


def load(path):
    """Reads JSON with comments; a comment inside a string is no comment."""
    text = path.read_text(encoding="utf-8")
    return json.loads(TOKEN.sub(lambda m: m[0] if m[0].startswith('"') else " ", text))


def main():
    schema = load(ROOT / "config" / "interposed.schema.json")
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    wrong = []
    for folder, is_right in (("valid", True), ("beyond_schema", True), ("invalid", False)):
        samples = sorted((SAMPLES / folder).glob("*.json"))
        if not samples:
            wrong.append(f"{folder}: no samples")
        for sample in samples:
            if validator.is_valid(load(sample)) != is_right:
                verb = "refuses" if is_right else "takes"
                wrong.append(f"{folder}/{sample.name}: the schema {verb} it")
    for example in sorted((ROOT / "examples").glob("**/*.json")):
        if example.name.startswith("grafana-"):
            continue  # not for the server
        for error in validator.iter_errors(load(example)):
            wrong.append(f"{example}: {error.json_path}: {error.message}")
    print("\n".join(wrong) or "the schema agrees with all samples and examples")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
