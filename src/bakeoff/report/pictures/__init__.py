"""Small pictures: filters, maps, test images."""
