"""What the machine refused, by the words that programs of every kind have for it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engines.jobs.symptoms.cause import Symptom

Rule = tuple[re.Pattern[str], Symptom]

LIBRARY = re.compile(
    r"(?P<library>[\w.+-]{1,80}\.so[\w.]{0,20}): cannot open shared object file|shared libraries: (?P<other>\S{1,80}):"
)

RULES: tuple[Rule, ...] = (
    (
        re.compile(r"insufficient shared memory|shared memory \(shm\)"),
        Symptom(
            "shared_memory_full",
            "The shared memory of this machine (/dev/shm) was full.",
            "Lower the number of data loader workers (`num_workers=0` needs none), or make /dev/shm larger.",
        ),
    ),
    (
        re.compile(r"No space left on device|\[Errno 28\]|\bENOSPC\b|(?:database or )?disk is full"),
        Symptom(
            "disk_full",
            'The disk was full: a write was refused with "No space left on device".',
            "Free some room, then run it again; `workbench doctor` shows how full the workspace and the cache are.",
        ),
    ),
    (
        re.compile(r"Disk quota exceeded|\[Errno 122\]"),
        Symptom("disk_full", "Your quota on the disk was used up.", "Free some room or have the quota raised."),
    ),
    (
        re.compile(
            r"CUDA out of memory|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|CUDNN_STATUS_ALLOC_FAILED"
            r"|CUDA error: out of memory|HIP out of memory|OOM when allocating tensor|RESOURCE_EXHAUSTED: Out of memory"
        ),
        Symptom(
            "gpu_memory",
            "The GPU ran out of memory.",
            "Make the batch or the model smaller, or see with `nvidia-smi` who else uses the GPU.",
        ),
    ),
    (
        re.compile(
            r"std::bad_alloc|DefaultCPUAllocator: |Cannot allocate memory|\[Errno 12\]|MemoryError\b"
            r"|Unable to allocate [\d.]+ [KMGTPE]iB\b"
        ),
        Symptom(
            "memory",
            "It asked for more memory than the machine, or a limit on the process (`ulimit -v`), allows.",
            "Load less at once (fewer rows or columns, smaller types, chunks), or end what else uses memory.",
        ),
    ),
    (
        re.compile(r"Address already in use|\bEADDRINUSE\b|\[Errno 98\]|\[Errno 48\]"),
        Symptom(
            "port_in_use",
            "The network port that it wanted to listen on was taken by another process.",
            "Let the program choose a free port (port 0), or see who has it: `ss -ltnp`.",
        ),
    ),
    (
        re.compile(r"Too many open files|\[Errno 24\]"),
        Symptom(
            "open_files",
            "It opened more files at once than the machine allows.",
            "Close files after use, lower the number of workers, or raise the limit (`ulimit -n`).",
        ),
    ),
    (
        re.compile(
            r"Could not resolve host|Temporary failure in name resolution|Name or service not known"
            r"|nodename nor servname provided|Network is unreachable|No route to host|Connection refused"
            r"|Failed to connect to|Connection timed out|Max retries exceeded with url|CERTIFICATE_VERIFY_FAILED"
        ),
        Symptom(
            "network",
            "It could not reach a server over the network.",
            "Check the address, the proxy, and whether the server runs; without a way out, put the data into the cache"
            " ahead of time: `workbench cache add URL PATH`.",
        ),
    ),
    (
        re.compile(
            r"terminated abruptly while the future was running|DataLoader worker .{0,40}is killed by signal"
            r"|worker process managed by the executor was unexpectedly terminated"
        ),
        Symptom(
            "worker_killed",
            "One of the worker processes that it started was killed, most often because memory ran out.",
            "Use fewer workers or less memory in each.",
            killed=True,
        ),
    ),
    (
        re.compile(r"No matching distribution found for|Could not find a version that satisfies the requirement"),
        Symptom(
            "package_not_found",
            "pip found no package that fits.",
            "Check the name and the version; an environment with a `conda_file` is checked before the job starts.",
        ),
    ),
)


def from_text(text: str) -> Symptom | None:
    """What a message means when it is one of the machine's refusals."""
    if library := LIBRARY.search(text):
        name = library["library"] or library["other"]
        return Symptom(
            "missing_library",
            f"The system library {name} is not installed on this machine.",
            f"Install the package that has {name} (`apt-file search {name}` names it on Debian and Ubuntu)"
            + (", or use opencv-python-headless, which does without." if "libGL" in name else "."),
        )
    return next((symptom for pattern, symptom in RULES if pattern.search(text)), None)


def allocation(text: str) -> Symptom | None:
    """What C++ says when memory ran out, before it aborts."""
    return from_text("std::bad_alloc") if "std::bad_alloc" in text else None


LONGEST = 4096
"""A program says what it was refused in a line; the rest of a longer one is data."""

GRAVE = frozenset({"disk_full", "gpu_memory", "shared_memory_full"})
"""What is told wherever it stands in the log: no program goes on well after it."""


def grave(lines: Sequence[str]) -> Symptom | None:
    """The last grave refusal anywhere in the lines."""
    return next(
        (found for line in reversed(lines) if (found := from_text(line[-LONGEST:])) and found.code in GRAVE), None
    )
