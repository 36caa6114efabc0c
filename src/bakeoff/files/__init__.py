"""Files that are whole or not there, read with care whoever wrote them."""
