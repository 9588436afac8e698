"""The shapes of what is sent and answered, one noun per file. Each carries its example."""
