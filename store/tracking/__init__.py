"""Tracking: runs, metrics and experiments in MLflow's own database, by sqlite3.

Nothing here imports MLflow when it is imported; ``search.py`` does when it is called.
"""
