"""What is printed: one renderer per format; the only importer of rich."""
