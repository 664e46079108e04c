"""The transparency log, after RFC 9162 and C2SP: trees, proofs, tiles and checkpoints."""
