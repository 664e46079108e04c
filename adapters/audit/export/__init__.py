"""What an auditor takes away: events in three forms, each written to a stream of bytes."""
