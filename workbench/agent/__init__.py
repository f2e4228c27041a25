"""The agent: one process per workspace that makes what is wanted so."""
