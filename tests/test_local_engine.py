"""The engine that runs tasks on this machine: real shims, real processes."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("engines.compute.contract")

from engines.compute.base import Engine
from engines.compute.contract import EngineContract
from engines.compute.local import LocalEngine


class TestLocalEngine(EngineContract):
    @pytest.fixture
    def engine(self) -> Engine:
        return LocalEngine()
