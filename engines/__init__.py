"""Where work runs, and what each kind of job does."""
