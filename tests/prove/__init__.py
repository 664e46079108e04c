"""The proofs: `python -m tests.prove` runs them at full size, the tests here at a tiny one."""
