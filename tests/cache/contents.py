"""What the tests of the cache put there, and what they look for in it."""

from __future__ import annotations

from pathlib import Path

CONTENT = bytes(range(256)) * 4096  # 1 MiB

AZURE_URLS = (
    "wasbs://data@account.blob.core.windows.net/titanic/t.csv",
    "abfss://data@account.dfs.core.windows.net/titanic/t.csv",
    "https://account.blob.core.windows.net/data/titanic/t.csv",
    "https://account.blob.core.windows.net/data/titanic/t.csv?sv=2022&se=2030&sr=b&sig=SECRET",
)


def leftovers(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir() if entry.name != "locks" and len(entry.name) != 32]
