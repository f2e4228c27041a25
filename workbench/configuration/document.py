"""A TOML file as it was read: its values, and faults that name the place."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.errors import DocumentError, Fault

if TYPE_CHECKING:
    from workbench.configuration.places import Path as Place
    from workbench.configuration.places import Spot


@dataclass(slots=True)
class TomlDocument:
    """The values of a file, and all that is wrong with them."""

    file: Path
    text: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    _places: dict[Place, Spot] | None = None

    def line(self, path: Place) -> int:
        """The line on which the nearest thing around ``path`` stands."""
        return self._spot(path).key[0]

    def blame(self, path: Place, message: str, hint: str | None = None, *, at_key: bool = False) -> None:
        """Note a fault of the value at ``path``, or of its key."""
        spot = self._spot(path)
        line, column = spot.key if at_key else spot.value
        name = ".".join(f'"{part}"' if "." in str(part) else str(part) for part in path)
        self.faults.append(Fault(str(self.file), line, column, name, message, hint))

    def raise_faults(self) -> None:
        """Raises DocumentError where there are any."""
        if self.faults:
            raise DocumentError(self.faults)

    def _spot(self, path: Place) -> Spot:
        from workbench.configuration.places import Spot, places  # only for what is told of a file

        if self._places is None:
            self._places = places(self.text)
        for length in range(len(path), 0, -1):
            if path[:length] in self._places:
                return self._places[path[:length]]
        return Spot((1, 1), (1, 1))


def read(file: Path) -> TomlDocument:
    """A file's values; one that cannot be read has none, and a fault. Raises FileNotFoundError where there is none."""
    document = TomlDocument(file)
    try:
        document.text = file.read_bytes().decode()  # line ends as they are: what is written back keeps them
        document.values = tomllib.loads(document.text)
    except FileNotFoundError:
        raise
    except OSError as error:
        document.faults.append(Fault(str(file), 1, 1, "", f"cannot be read: {error.strerror or error}"))
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        document.faults.append(Fault(str(file), line, column, "", "is no UTF-8", "Save the file as UTF-8."))
    except tomllib.TOMLDecodeError as error:
        from workbench.configuration.places import syntax_fault

        line, column, message = syntax_fault(error, document.text)
        hint = "A text stands in double quotes, true, false and numbers without: toml.io has the rules."
        document.faults.append(Fault(str(file), line, column, "", f"{message[:1].lower()}{message[1:]}", hint))
    return document
