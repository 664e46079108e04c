"""The contract for machines: OpenAPI 3.1, made of the tables that decode and word (ADR 77)."""
