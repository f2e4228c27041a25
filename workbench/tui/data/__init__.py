"""What the terminal UI does with data: profiles, rows, files of datastores, read by processes of their own."""
