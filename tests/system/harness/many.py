"""How many clients are many."""

MANY_CLIENTS = 10_000
# Descriptors of a test's process or of the bridge besides those of the clients.
SPARE_DESCRIPTORS = 500
