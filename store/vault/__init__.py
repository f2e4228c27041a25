"""A workspace's secrets. Nothing here imports what it needs until a secret is read or written."""

from store.vault.vault import Secret, Vault, open_vault

__all__ = ["Secret", "Vault", "open_vault"]
