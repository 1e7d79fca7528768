"""The advice desk: what staff of an institution do with queries that reach them."""
