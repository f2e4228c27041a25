"""Which errors the agent waits out."""

from __future__ import annotations

import errno

import pytest

from workbench.agent.trouble import may_pass


@pytest.mark.parametrize(("number", "passes"), [(errno.ENOSPC, True), (errno.ENOENT, False)])
def test_the_cause_of_an_error_counts(number: int, passes: bool) -> None:
    error = ValueError("outer")
    error.__cause__ = OSError(number, "inner")
    assert may_pass(error) is passes


def test_an_error_that_is_its_own_cause_ends_the_search() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert not may_pass(first)
