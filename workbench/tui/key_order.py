"""Keys in their order: each goes where the one before it led, however fast they come."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from typing import Any

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

PATIENCE_SECONDS = 0.5
"""So long a key may take before the next one is given out all the same: a key never gets lost."""


class OrderedKeys(App[None]):
    """An application that gives out a key only when the one before it has had its effect.

    Textual hands every key at once to whatever has the focus then, each with a queue of its own: of two keys that come
    together the second would still go to what the first one left, such as a dialog that it closed.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._keys_behind: deque[events.Key | events.Paste] = deque()
        self._key_number = 0
        self._key_at = -math.inf
        self._patience: asyncio.TimerHandle | None = None
        self._held_back = False

    async def on_event(self, event: events.Event) -> None:
        """Give out a key, or keep it until its turn comes."""
        if not isinstance(event, (events.Key, events.Paste)) or event.is_forwarded:
            await super().on_event(event)
        elif self._patience is None and not self._held_back and not self._keys_behind:
            await self._give_out(event)
        else:
            self._keys_behind.append(event)

    async def run_action(self, *arguments: Any, **options: Any) -> bool:
        """As in Textual, but not once the application leaves: what an action wants is being taken down."""
        return not self._exit and await super().run_action(*arguments, **options)

    def hold_back_keys(self) -> None:
        """Keep the keys that come from now on, for as long as it is not known what they mean."""
        self._held_back = True

    def give_out_keys(self) -> None:
        """Give out what was kept, and what comes."""
        self._held_back = False
        if self._patience is None:
            self.call_later(self._give_out_next)

    def seconds_since_key(self) -> float:
        """How long ago the last key was given out."""
        return time.monotonic() - self._key_at

    async def _give_out(self, event: events.Key | events.Paste) -> None:
        self._key_at = time.monotonic()
        self._key_number += 1
        number = self._key_number
        self._patience = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._key_is_done, number)
        target = self.focused or self.screen
        way: list[MessagePump] = [node for node in target.ancestors_with_self if node is not self]
        try:
            await super().on_event(event)
        finally:
            # A message on the way that the key takes, from the focus upwards, always arrives behind it.
            self._follow([*way, self] if event.is_forwarded else [], number)

    def _follow(self, way: list[MessagePump], number: int) -> None:
        if not way or not way[0].call_later(self._follow, way[1:], number):
            self._key_is_done(number)

    def _key_is_done(self, number: int) -> None:
        if number != self._key_number or self._patience is None:
            return  # it took so long that others went before
        self._patience.cancel()
        self._patience = None
        self.call_later(self._give_out_next)

    async def _give_out_next(self) -> None:
        if self._keys_behind and self._patience is None and self._running and not self._held_back:
            await self._give_out(self._keys_behind.popleft())
