"""What is wrong with this machine, these settings and the proxy in front, each with its fix."""
