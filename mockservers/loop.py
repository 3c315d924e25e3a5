"""The one asyncio loop that all servers share, on a daemon thread that begins with the first and ends with the last."""

import asyncio
import threading

STOP_S = 2.0
"""How long stopping may take; it usually takes a millisecond."""


class LoopThread:
    """The loop, and how many servers use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def enter(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="mockservers", daemon=True)
                self._thread.start()
            self._users += 1
            return self._loop

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users or self._loop is None or self._thread is None:
                return
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(STOP_S)
            if not self._thread.is_alive():
                self._loop.close()
            self._loop = self._thread = None


shared_loop = LoopThread()
