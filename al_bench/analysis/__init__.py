"""From stored cycles to numbers."""
