"""How much machine a number of visitors needs: a plan from measured step costs alone."""
