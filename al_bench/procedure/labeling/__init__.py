"""A run whose labels a person gives: what is stored of it beside its cycles, and where the loop's labels come from.

pictures.jsonl   which picture has which position, for good
labels.jsonl     every answer, and every class
audit.json       positions of the audit set
audit_drawn.json of which pictures it was drawn
query.json       what is asked, and what is known so far
run_id.json      which run the folder is of
taken.json       which answers the cycle that is being trained has
decoded.npy      decoded pictures, by position
"""
