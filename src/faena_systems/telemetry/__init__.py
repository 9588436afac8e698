"""Telemetry: a TV operator's records come from PanAccess every two minutes, are kept raw, merged and analysed."""
