"""The benchmark: what Verbatim adds to a model's answer in time and in processor work (docs/performance.md)."""
