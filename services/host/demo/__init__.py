"""The demo: one marketplace order from cart to completed, through real services."""
