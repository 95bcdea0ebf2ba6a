"""Request bodies as plain data: where text lives per endpoint, what it needs, what may not steer us."""

from aicc_hooks.payload.extract import Extract, extract
from aicc_hooks.payload.strip import strip_body

__all__ = ["Extract", "extract", "strip_body"]
