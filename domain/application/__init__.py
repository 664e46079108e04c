"""One command, start to end: from the handle of an owner to events in a store and an outcome."""
