"""The operations, one noun per file. Each calls a verb or a query."""
