"""What this machine has, what Corral takes of it, and whether that suffices."""
