"""What an auditor reads and computes: pure, over what a store hands out."""
