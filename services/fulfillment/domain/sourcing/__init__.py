"""Where every unit of an order comes from, as a pipeline of small pure stages."""
