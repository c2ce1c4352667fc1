"""Every rule of `waybill check` can fail: each is broken on purpose, in a marketplace with orders in every state."""
