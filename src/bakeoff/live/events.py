"""What changes in a run folder while one looks, told from the folder alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

LOOK_EVERY = 0.5
"""Seconds between two looks at the folder, while anybody listens."""
KEEP_OPEN = 15.0
"""Seconds without news after which a comment keeps a connection open."""
RETRY = 1000
"""Milliseconds after which a page that lost its connection asks for another."""
MOST_LISTENERS = 32


class Watch:
    """Looks at a run for all who listen, and tells each what is new to it."""

    def __init__(
        self, look: Callable[[], Mapping[str, Any]], ending: Callable[[], bool] = lambda: False
    ) -> None:
        """Prepare to call `look`, in a thread: it returns what each event says now.

        ending: whether the server waits for everybody to leave.
        """
        self._look = look
        self._ending = ending
        self._latest: dict[str, str] = {}
        self._changed = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self.listeners = 0

    async def listen(self) -> AsyncIterator[str]:
        """Yield events as they go over the wire, those of now first."""
        self.listeners += 1
        if self._looking is None:
            self._looking = asyncio.create_task(self._keep_looking())
        told: dict[str, str] = {}
        yield f"retry: {RETRY}\n\n"
        try:
            while not self._ending():
                changed, latest = self._changed, self._latest
                for event, data in latest.items():
                    if told.get(event) != data:
                        yield f"event: {event}\ndata: {data}\n\n"
                told = latest
                try:
                    await asyncio.wait_for(changed.wait(), KEEP_OPEN)
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self.listeners -= 1
            if not self.listeners and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    async def _keep_looking(self) -> None:
        while True:
            found = await asyncio.to_thread(self._look)
            latest = {event: json.dumps(said) for event, said in found.items()}
            if latest != self._latest or self._ending():
                self._latest, before = latest, self._changed
                self._changed = asyncio.Event()
                before.set()
            await asyncio.sleep(LOOK_EVERY)
