"""The report: stored cycles in, one page that needs nothing else and tables as CSV and Markdown out.

`page.write_report` is the way in. Nothing here trains, and every number is one that a stored cycle, an artifact's
record or a published table holds; `analysis/` computes them.

The page from above: `page` puts everything into `page/index.html` and writes the tables, `chapters` says what belongs
together, `parts` makes a section, `picture_files` takes a large page's pictures out of it. What stands in a section:
`notes` before it, `judges` whose scores compare, `results` its numbers, `by_class` those of each class, `comparison` a
paper's beside them, `contrasts` and `statistics` what differences are worth, `outlook` how sure they are and what more
labels would give, `trainings` what was measured inside a training, `samples` what a generating model draws, `queries`
classes and first pictures of each query, `picks` all chosen pictures, `doubts` where model and answer differ, `images`
what was synthesized, `segmentation` label maps beside their truth, `settings` and `ledger` where its settings are from.
Beside sections: `across` lines over several data sets, `cells` an experiment's, `measured` what procedures without a
loop found, `trained` what was trained once. Without a page: `coverage` and `verdicts` for `make tables`, `sweep_plan`
and `time_left` for a terminal. How things are written: `measures` names and units, `tables` rows for a page, a program
and a text, `figures/` plots, their colors, and which plots there are.

The report knows no single paper: what only one paper's experiments show stands in `paper/`, which says how the next one
adds its own. `page/` holds templates.
"""
