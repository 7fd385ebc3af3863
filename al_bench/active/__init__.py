"""What the loop speaks in: inputs, the pool of what is labeled, queries, scores, stop rules."""
