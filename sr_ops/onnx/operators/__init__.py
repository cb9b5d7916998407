"""The operators of the domain ``sr_ops``: schema, standard form, functions, reference."""
