"""Once a conversation was private, its later turns stay on this machine, also after a restart."""

from __future__ import annotations

import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from aicc_hooks.errors import SpoolError
from aicc_hooks.record import schema

_LIMIT = 50_000
_CLEAN_TTL_S = 1.0  # another worker may have met a secret of the same session meanwhile


class StickySessions:
    """Knows private sessions from memory, and from usage.db for those before the start or of other workers.

    `names`: the forms under which a session id is stored in records (hash, and plain where the policy says so).
    """

    def __init__(
        self,
        database: Path,
        names: Callable[[str], tuple[str, ...]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._names = names
        self._clock = clock
        self._private: OrderedDict[str, None] = OrderedDict()
        self._clean: OrderedDict[str, float] = OrderedDict()

    def mark(self, session: str) -> None:
        """The session held something sensitive."""
        if not session:
            return
        key = self._names(session)[0]
        self._private[key] = None
        self._private.move_to_end(key)
        self._clean.pop(key, None)
        if len(self._private) > _LIMIT:
            self._private.popitem(last=False)

    def cached(self, session: str) -> bool | None:
        """What memory knows; None when usage.db must be asked."""
        if not session:
            return False
        key = self._names(session)[0]
        if key in self._private:
            return True
        known = self._clean.get(key)
        return False if known is not None and self._clock() - known < _CLEAN_TTL_S else None

    def look_up(self, session: str) -> bool:
        """Ask usage.db. Reads a disk: call off the loop. A database that does not answer counts as private."""
        names = self._names(session)
        try:
            with closing(schema.open_readonly(self._database, busy_ms=500)) as connection:
                marks = ",".join("?" for _ in names)
                query = f"SELECT 1 FROM records WHERE local_only = 1 AND session != '' AND session IN ({marks}) LIMIT 1"  # noqa: S608
                found = connection.execute(query, names).fetchone() is not None
        except SpoolError:
            found = False  # no records yet
        except sqlite3.Error:
            return True
        if found:
            self.mark(session)
        else:
            self._clean[names[0]] = self._clock()
            if len(self._clean) > _LIMIT:
                self._clean.popitem(last=False)
        return found
