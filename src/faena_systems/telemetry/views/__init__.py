"""The pages: ten-line adapters over the analytics and the charts."""
