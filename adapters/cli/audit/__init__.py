"""`taskflow audit`: a file a command, each with its page of help, its ask, and what it does."""
