"""Bytes that go around the server: by URLs that it signs, between its artifact store and this client."""
