"""Which lines of a log tell of an error."""

from __future__ import annotations

import re

import pytest

from engines.jobs.symptoms.error_lines import ERROR_LINE, ROUGHLY
from engines.jobs.symptoms.machine import RULES

SAMPLES = [
    "Traceback (most recent call last):",
    "[rank0]: Traceback (most recent call last):",
    "ValueError: could not convert string to float: 'x'",
    "torch.cuda.OutOfMemoryError: CUDA out of memory.",
    "subprocess.CalledProcessError: Command 'x' returned non-zero exit status 1.",
    "2026-01-01 12:00:00,123 ERROR worker died",
    "CRITICAL:root:no",
    "Killed",
    "sh: 1: Segmentation fault (core dumped)",
    "train.sh: line 3: frobnicate: command not found",
    "sh: 1: frobnicate: not found",
    "error: failed to push some refs",
    "fatal: not a git repository",
    "java.lang.NullPointerException",
    "Fatal Python error: Segmentation fault",
    "OSError: [Errno 28] No space left on device",
    "cp: write error: No space left on device",
]

HARMLESS = [
    "mean squared error: 0.123",
    "error: 0.5",
    "val_error=0.2",
    "epoch 3 loss 0.5",
    "0 errors, 0 warnings",
    "ErrorRate 0.2",
    "no exceptions were made",
    "terminated in 3 s",
]


@pytest.mark.parametrize("line", SAMPLES)
def test_these_do(line: str) -> None:
    assert ERROR_LINE.search(line) and ROUGHLY.search(line)


@pytest.mark.parametrize("line", HARMLESS)
def test_these_do_not(line: str) -> None:
    assert not ERROR_LINE.search(line)


def test_what_the_machine_refuses_is_looked_for_in_the_quick_way_too() -> None:
    for rule, symptom in RULES:
        for words in re.split(r"\|(?![^(]*\))", rule.pattern):
            plain = re.sub(r"\(\?:[^)]*\)\??|\\b|(?<!\\)\[[^]]*\]\S?", "", words).replace("\\", "")
            assert ROUGHLY.search(plain), f"{symptom.code}: {words}"
