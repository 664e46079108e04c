"""The auditor's pages, over real stores, in memory, over sockets, and in a browser."""
