"""Everything that talks to PanAccess. Its log is ``panaccess.log``."""
