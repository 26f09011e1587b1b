"""Inspects one file in a small process of its own, and prints what that cost. Without Django, as the inspector itself.

python -m tests.files.measured PATH NAME
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from conversations.files import FileProblem, inspect_file

ROOT = Path(__file__).resolve().parents[2]
MAX_BYTES = 45_000_000


@dataclass(frozen=True)
class Verdict:
    problem: str  # empty: it was taken
    content_type: str
    cpu_seconds: float
    peak_megabytes: float
    opened: list[str]

    @property
    def is_contained(self) -> bool:
        """Within 2 s of processor time, which other load does not stretch, and 200 MB."""
        return self.cpu_seconds <= 2 and self.peak_megabytes <= 200


def judge(path: Path, name: str = "") -> Verdict:
    """Inspect a file and measure the process that did."""
    command = [sys.executable, "-m", "tests.files.measured", str(path), name or path.name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return Verdict(**json.loads(done.stdout))


def main() -> None:
    problem = content_type = ""
    try:
        content_type = inspect_file(Path(sys.argv[1]), name=sys.argv[2], max_bytes=MAX_BYTES).content_type
    except FileProblem as refusal:
        problem = refusal.message
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        json.dumps(
            {
                "problem": problem,
                "content_type": content_type,
                "cpu_seconds": used.ru_utime + used.ru_stime,
                "peak_megabytes": used.ru_maxrss / 1024,
                "opened": sorted(
                    name for name in sys.modules if name in ("django", "PIL", "pypdf", "openpyxl", "docx")
                ),
            }
        )
    )


if __name__ == "__main__":
    main()
