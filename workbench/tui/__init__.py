"""The terminal UI: see and steer a workspace from the keyboard."""
