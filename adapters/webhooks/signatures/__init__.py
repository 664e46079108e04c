"""Who signed a request: the schemes of senders, as data over one form, and what verifies them."""
