"""All seeds of an entrant trained in one program."""
