"""The log of refusals: a SQLite file beside the database, written behind the requests' backs."""
