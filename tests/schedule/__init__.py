"""Jobs and batches in threads of their own."""
