"""Evidence packs: events with all that proves them, and a verifier that needs nothing of ours."""
