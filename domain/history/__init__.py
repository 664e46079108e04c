"""Reading the past: what was recorded, by whom, why, and what a flow was at any moment."""
