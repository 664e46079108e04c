"""The recorded wire contract, replayed over real sockets against a running gateway."""
