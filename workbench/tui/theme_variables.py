"""The theme variables of our own, with what a theme that does not give them gets."""

from __future__ import annotations

VARIABLE_DEFAULTS = {
    "state-waiting": "#9aa0a6",
    "state-running": "#4aa8ff",
    "state-completed": "#5fbf77",
    "state-failed": "#ef6b73",
    "state-canceled": "#c9a35a",
    "chart-1": "#4aa8ff",
    "chart-2": "#f2a65a",
    "chart-3": "#5fbf77",
    "chart-4": "#d783d9",
    "chart-5": "#e8d25a",
    "chart-6": "#5ad1d1",
    "chart-7": "#ef6b73",
    "chart-8": "#a99cf0",
    "chart-grid": "#555b66",
}
