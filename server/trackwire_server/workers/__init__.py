"""Several server processes on one host that share its ports, and the one that looks after them."""
