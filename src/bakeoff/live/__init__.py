"""`bakeoff serve`: a local page where every trained network of a run answers, live."""
