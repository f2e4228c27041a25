"""``workbench doctor``: looks at machine and workspace, and says how to mend what it finds. It changes nothing."""
