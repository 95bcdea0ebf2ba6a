"""The record of a request: redacted, written to the spool, delivered, logged, summed."""

from aicc_hooks.record.config import LangfuseAccess, LangfuseConfig, LogConfig, RecordConfig, RedactionConfig
from aicc_hooks.record.draft import RecordDraft
from aicc_hooks.record.known import KnownValues, LiveValues, values_of
from aicc_hooks.record.log import JsonLog
from aicc_hooks.record.model import Attempt, Record
from aicc_hooks.record.outbox import Outbox, give_feedback
from aicc_hooks.record.reader import Filters, SpoolReader
from aicc_hooks.record.redaction import DROPPED, Redactor
from aicc_hooks.record.spool import Spool

__all__ = [
    "DROPPED",
    "Attempt",
    "Filters",
    "JsonLog",
    "KnownValues",
    "LangfuseAccess",
    "LangfuseConfig",
    "LiveValues",
    "LogConfig",
    "Outbox",
    "Record",
    "RecordConfig",
    "RecordDraft",
    "RedactionConfig",
    "Redactor",
    "Spool",
    "SpoolReader",
    "give_feedback",
    "values_of",
]
