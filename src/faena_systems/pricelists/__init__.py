"""Price lists: a shop imports its suppliers' price spreadsheets through durable jobs."""
