"""Figures: `plots` draws, `palette` gives colors, `charts` are a section's, `table_plots` a table's own."""
