"""Figures of the report: plots, their colors, and what tables ask to be plotted."""
