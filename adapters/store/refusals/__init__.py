"""The log of refusals: a SQLite file beside the database, written behind the requests' backs."""

from adapters.store.refusals.log import RefusalsLost, recording_refusals
from adapters.store.refusals.reading import StoredRefusals, read_refusals

__all__ = ["RefusalsLost", "StoredRefusals", "read_refusals", "recording_refusals"]
