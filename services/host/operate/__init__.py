"""What operators do about work that does not come to its end by itself."""
