"""`waybill backup` and `waybill restore`: one consistent cut over all databases, and back."""
