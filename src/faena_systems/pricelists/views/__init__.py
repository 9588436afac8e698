"""The pages: ten-line adapters over forms, verbs and queries."""
