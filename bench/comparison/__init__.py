"""The side-by-side comparison behind bench/compare. README.md says how to read its report."""
