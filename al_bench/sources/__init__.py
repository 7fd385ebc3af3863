"""Getting files: downloads and archives, listings of pictures, decoding, caches of what was decoded."""
