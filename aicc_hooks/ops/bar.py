"""The progress bar of long commands; silent where nobody looks."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from aicc_hooks.ops.backup import Stage


@contextlib.contextmanager
def bar() -> Iterator[Stage]:
    """A callable (what, done, total) that draws on stderr when it is a terminal."""
    if not sys.stderr.isatty():
        yield lambda what, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("starting", total=None)
        yield lambda what, done, total: progress.update(
            task, description=what, completed=done, total=total or None
        )
