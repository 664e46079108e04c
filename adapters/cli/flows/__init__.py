"""`taskflow flows`: a file a command."""
