"""A smaller machine than this one: a command under limits of processors, memory and swap."""
