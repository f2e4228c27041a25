"""Lines of a log that tell of an error: where to look first when a job failed."""

from __future__ import annotations

import re

from engines.jobs.symptoms.machine import RULES

_WORDS = (
    r"Traceback \(most recent call last\)",
    r"\b(?:\w+\.)*[A-Z]\w*(?:Error|Exception)\b(?!\w)",
    r"^(?:\w+: )?(?:Error|Exception|error|fatal|panic): (?![-+\d.])",
    r"\b(?:ERROR|CRITICAL|FATAL)\b",
    r"^Fatal Python error",
    r"\bKilled\b|\bSegmentation fault\b|\bcore dumped\b|\bFloating point exception\b|\bAborted \(",
    r"\bcommand not found\b|: not found$",
)
"""What programs of every kind say; not ``error`` alone, which is the name of many a metric."""

ERROR_LINE = re.compile("|".join((*_WORDS, *(rule.pattern for rule, _ in RULES))))
"""Finds a line that tells of an error."""

_HINTS = (
    *("Traceback", "Error", "Exception", "ERROR", "CRITICAL", "FATAL", "Fatal", "Killed", "fault", "core dumped"),
    *("exception", "Aborted", "rror: ", "fatal: ", "panic: ", "not found", "Errno ", "memory", "MEMORY", "_FAILED"),
    *("No space left", "ENOSPC", "disk is full", "quota exceeded", "OOM when", "_alloc", "DefaultCPUAllocator"),
    *(" allocate ", "already in use", "EADDRINUSE", "Too many open", "resolve host", "name resolution", "not known"),
    *("unreachable", "No route to", "refused", "Failed to connect", "timed out", "Max retries", "terminated"),
    *("killed by", "nodename nor", "matching distribution", "Could not find"),
)

ROUGHLY = re.compile("|".join(map(re.escape, _HINTS)))
"""Found in every such line, and many times quicker to look for."""
