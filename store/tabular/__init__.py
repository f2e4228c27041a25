"""Tables behind files: a lazy stream of Arrow record batches, and what MLTable does with it."""
