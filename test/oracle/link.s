// Lets functions without a body stand in Go files: they are linked by name.
