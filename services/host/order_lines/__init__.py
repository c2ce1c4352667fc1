"""Lines of an order as a file has them, CSV or JSON, made into messages; what is wrong is said of its row and column."""
