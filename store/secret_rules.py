"""What counts as a secret in a text, by its look alone: parts of addresses, parameters, and the names of values.

Whatever shows, logs or stores a text that others wrote asks here, so that what is hidden in one place is so in all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

PARAMETER = re.compile(
    r"""(?ix) ^x-(amz|goog)- | ^(?!.*(page|next|continu|sync|cursor)).*token$ | (signature|secret)$ | ^secret | passw
    | ^(sig|api_?key|awsaccesskeyid|googleaccessid|key-pair-id)$"""
)
"""Names of query parameters that say who asks, not what for: ``access_token``, but not ``tokenizer``."""

NAME = re.compile(
    r"secret|passw|passphrase|pwd|token|api_?key|access_?key|account_?key|private_?key|credential|auth|\bsas\b|_sas$"
    r"|connection_?string|(?:^|_)key$|(?:^|_)dsn$",
    re.IGNORECASE,
)
"""Names of variables and inputs whose values are not to be shown."""

WITHOUT_PASSWORD = frozenset({"github", "git", "wasb", "wasbs", "abfs", "abfss"})
"""Schemes where what stands in front of ``@`` is part of the place: ``github://ORGANISATION:REPOSITORY@BRANCH``."""

_USER = re.compile(r"(?P<scheme>[a-z][\w+.-]{0,40})?://(?P<user>[^/@\s]+)@", re.IGNORECASE)
_OPEN_USER = re.compile(r"^(?:git|hg|svn|\*+)$")
"""A user name that says nothing, as in ``git+ssh://git@host``."""
_GIVEN = re.compile(r"(?P<name>(?<=[?&])[\w.%-]{1,100})=(?P<value>[^&#\s'\"]+)")
_ACCOUNT_KEY = re.compile(r"(?P<name>\b(?:Account|SharedAccess)Key)=(?P<value>[^;\s'\"]+)", re.IGNORECASE)


def replace_secrets(text: str, instead: Callable[[str], str]) -> str:
    """A text with ``instead(secret)`` in place of each secret of the addresses and connection strings within it."""

    def user(found: re.Match[str]) -> str:
        if (found["scheme"] or "").lower() in WITHOUT_PASSWORD or _OPEN_USER.match(found["user"]):
            return found[0]
        return f"{found['scheme'] or ''}://{instead(found['user'])}@"

    def given(found: re.Match[str]) -> str:
        name = unquote(found["name"])
        return (
            f"{found['name']}={instead(found['value'])}"
            if name.lower() == "key" or PARAMETER.search(name)
            else found[0]
        )

    text = _ACCOUNT_KEY.sub(lambda found: f"{found['name']}={instead(found['value'])}", text)
    return _GIVEN.sub(given, _USER.sub(user, text))
