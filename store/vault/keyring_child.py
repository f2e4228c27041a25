"""``python -m store.vault.keyring_child``: one question to the system's keyring as JSON on stdin, its answer on stdout.

Only keyrings that encrypt are taken. The package `keyring` may be set up to use others: one that fails, one that drops
what it is given, one that writes clear text (keyrings.alt), or a chain of several.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

ENCRYPTING = frozenset({"SecretService", "libsecret", "kwallet", "macOS", "Windows"})
"""The modules of ``keyring.backends`` that stand for a keyring of the system."""

SERVICE = "workbench"


class Refused(Exception):
    """The answer is no; the text says why."""


def class_name(keyring: object) -> str:
    """The full name of a keyring's class."""
    return f"{type(keyring).__module__}.{type(keyring).__qualname__}"


def encrypts(keyring: object) -> bool:
    """Whether it is one of the system's own."""
    package, _, module = type(keyring).__module__.rpartition(".")
    return package == "keyring.backends" and module in ENCRYPTING


def parts(keyring: Any) -> Iterator[Any]:
    """A keyring, or those of a chain in its order."""
    if class_name(keyring) == "keyring.backends.chainer.ChainerBackend":
        for each in keyring.backends:
            yield from parts(each)
    else:
        yield keyring


def chosen() -> Any:
    """The keyring that the user's set-up of `keyring` comes to. Raises Refused where it is none that encrypts."""
    import keyring

    found = keyring.get_keyring()
    for each in parts(found):
        if encrypts(each):
            return each
    if class_name(found) == "keyring.backends.fail.Keyring":
        raise Refused("this system has no keyring that can be reached")
    raise Refused(f"the keyring that is set up ({class_name(found)}) is none of the system's, which encrypt")


def named(backend: str) -> Any:
    """The keyring of a class. Raises Refused where it does not work here."""
    from keyring.core import load_keyring

    package, _, rest = backend.partition("keyring.backends.")
    if package or rest.partition(".")[0] not in ENCRYPTING:
        raise Refused(f"{backend} is no keyring of the system's")
    return load_keyring(backend)


def answer(question: Mapping[str, str]) -> dict[str, str | None]:
    """Do what is asked."""
    key_id = question["id"]
    if question["do"] == "keep":
        keyring = chosen()
        keyring.set_password(SERVICE, key_id, question["key"])
        if keyring.get_password(SERVICE, key_id) != question["key"]:
            raise Refused(f"{class_name(keyring)} did not keep what it was given")
        return {"backend": class_name(keyring)}
    keyring = named(question["backend"])
    found = keyring.get_password(SERVICE, key_id)
    if question["do"] == "remove" and found is not None:
        keyring.delete_password(SERVICE, key_id)
    return {"key": found}


def main() -> None:
    """Answer once."""
    question = json.load(sys.stdin)
    try:
        told: dict[str, str | None] = answer(question)
    except Refused as refusal:
        told = {"refused": str(refusal)}
    except Exception as error:  # noqa: BLE001  (of any keyring, a bus, a daemon; told in words by who asked)
        said = f"{type(error).__name__}: {error}".replace(question.get("key") or "\0", "***")
        told = {"refused": f"it cannot be used here: {said}"}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
