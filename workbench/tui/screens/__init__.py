"""What fills the body: one file a section or view."""
