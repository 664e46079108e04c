"""`taskflow store`: a file a command."""
