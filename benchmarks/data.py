"""What work on data costs, each beside its peers over the same files.

    .venv/bin/python benchmarks/data.py fingerprint [--megabytes 2048] [--files 100000]
    .venv/bin/python benchmarks/data.py scan [--rows 20000000] [--runs 3]
    .venv/bin/python benchmarks/data.py profile [--rows 1000000] [--runs 3] [--large 10000000]
    .venv/bin/python benchmarks/data.py watch [--files 10000] [--rounds 20]

``fingerprint``: a large file and a folder of small ones, by Workbench (nothing known, and all known) and by ``b3sum``,
or ``sha256sum`` where there is none. ``scan``: a table with a filter, as CSV and as Parquet, against pandas.
``profile``: a table of 50 columns against pandas and DuckDB, and a large one by Workbench alone.
``watch``: a burst of files in a watched folder, from its last close to its event; there is no peer.
Prints one line of JSON: seconds, and peak memory in MB.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from data_profile import profile
from data_scan import scan
from data_watch import watch

TAKE = """
import sys
from pathlib import Path
from store.data.fingerprint import take
print(take(Path(sys.argv[1]), Path(sys.argv[2])))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sections = parser.add_subparsers(dest="section", required=True)
    section = sections.add_parser("fingerprint")
    section.add_argument("--megabytes", type=int, default=2048, help="Size of the large file.")
    section.add_argument("--files", type=int, default=100_000, help="How many small files.")
    section.set_defaults(run=fingerprint)
    section = sections.add_parser("scan")
    section.add_argument("--rows", type=int, default=20_000_000, help="Rows of the table.")
    section.add_argument("--runs", type=int, default=3, help="Runs of each, turn and turn about.")
    section.set_defaults(run=scan)
    section = sections.add_parser("profile")
    section.add_argument("--rows", type=int, default=1_000_000, help="Rows of the table.")
    section.add_argument("--runs", type=int, default=3, help="Runs of each, turn and turn about.")
    section.add_argument("--large", type=int, default=0, help="Rows of a table for Workbench alone; 3 GB for 10000000.")
    section.set_defaults(run=profile)
    section = sections.add_parser("watch")
    section.add_argument("--files", type=int, default=10_000, help="Files of a burst.")
    section.add_argument("--rounds", type=int, default=20, help="How many bursts.")
    section.set_defaults(run=watch)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(given.run(given, Path(folder))))


def fingerprint(given: argparse.Namespace, here: Path) -> dict[str, object]:
    """A large file, and many small ones."""
    large, small = here / "large", here / "small"
    piece = os.urandom(1 << 20)
    with large.open("wb") as file:
        for _ in range(given.megabytes):
            file.write(piece)
    for number in range(given.files):
        place = small / f"{number // 1000:04}"
        if number % 1000 == 0:
            place.mkdir(parents=True)
        (place / f"{number:07}.txt").write_bytes(b"%d " % number * 80)
    peer = shutil.which("b3sum") or shutil.which("sha256sum") or sys.exit("neither b3sum nor sha256sum is here")
    names = here / "names"
    with names.open("wb") as listed:  # in the end no larger than a peer: a child's peak begins with its parent's
        for number in range(given.files):
            listed.write(os.fsencode(f"{small}/{number // 1000:04}/{number:07}.txt") + b"\0")
    own, found = [sys.executable, "-c", TAKE], dict[str, object]()
    environment = {**os.environ, "XDG_CACHE_HOME": str(here / "cache")}
    time.sleep(3)  # what was written just now is not taken for known
    for name, data, peer_command in (
        ("large", large, [peer, str(large)]),
        ("small", small, ["xargs", "-0", "-a", str(names), peer]),
    ):
        take = [*own, str(data), str(here / "manifests")]
        measure(peer_command, environment)  # so that all of them find the files in memory
        found[name] = {
            Path(peer).name: measure(peer_command, environment),
            "workbench": measure(take, environment),
            "workbench_known": measure(take, environment),
        }
    return {"megabytes": given.megabytes, "files": given.files, **found}


def measure(command: list[str], environment: dict[str, str]) -> dict[str, float]:
    """Seconds of a command, and its peak memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[0]} failed")
    return {"seconds": round(time.perf_counter() - start, 3), "peak_mb": round(usage.ru_maxrss / 1024, 1)}


if __name__ == "__main__":
    main()
