"""What is kept on disk, and the only importer of sqlite3."""
