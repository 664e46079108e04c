"""What an auditor takes away and can prove: exports, checkpoints, proofs."""
