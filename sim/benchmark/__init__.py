"""``make bench``: how fast the tools are, each beside another way in the same run."""
