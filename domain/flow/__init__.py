"""What a flow is: its commands, its events, what may follow what, and the decider."""
