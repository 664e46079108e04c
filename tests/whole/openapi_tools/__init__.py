"""What public tools are given: programs for generated clients, and hooks for Schemathesis."""
