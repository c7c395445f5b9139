"""The parts of the fraud heatmap: what is chosen, chart, table, map, and the punches of a cell."""
