"""What `app.py` composes: the only room that knows the others, and that only `app.py` imports."""
