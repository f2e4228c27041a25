"""`doctor` says whether the secrets can be read, and who else could."""

from __future__ import annotations

from pathlib import Path

from store.layout import Layout
from store.vault import open_vault
from workbench.doctor.finding import Finding, Place
from workbench.doctor.secrets import secrets


def found(layout: Layout) -> list[Finding]:
    return list(secrets(Place(layout, layout.root)))


def test_what_is_said_of_the_vault(layout: Layout, config: Path) -> None:
    assert found(layout) == []
    open_vault(layout).set("A", "a")
    (key,) = config.iterdir()
    assert found(layout) == [Finding("secrets", "ok", f"the secrets can be read (1); their key is in {key}")]
    key.chmod(0o644)
    (finding,) = found(layout)
    assert (finding.level, finding.mend) == ("warning", f"`chmod 600 {key}`")
    key.unlink()
    (finding,) = found(layout)
    assert finding.level == "error"
    assert f"their key, in {key}, is not there" in finding.detail
    assert "`workbench secret delete NAME`" in finding.mend
    open_vault(layout).file.write_text("{")
    (finding,) = found(layout)
    assert "is damaged" in finding.detail
