"""What a user sets once: ``config.toml``, the environment variables over it, and how a change is written back."""
