"""From stored cycles to numbers; nothing here makes a part of a page or trains.

Stored files: `reading` finds runs, exported cells and artifacts, `checking` says what each has to be, `selection` which
of them were asked for, `ending` which are at their end, `provenance` where their numbers are from. `pairs`, `samples`
and `predictions` read the images of a cycle, `traces` what a strategy measured inside its queries, `watched` what was
measured inside trainings. `rebuilding` makes data sets and GANs again, of what `own_parts` allows; `stored_network` and
`backbones` networks.

Over runs: `grouping` says which are one line, `curves` what a line comes to, `common_range` where lines that have come
differently far stand beside each other, `contrast`, `lines` and `standing` how they differ, `statistics/` with what
certainty, `chance` what guessing gives, `cost` time and compute, `artifact_users` which lines share what was trained
once, `peers` how many picks another library makes too. For whoever labels: `picked` what queries asked for and the
model's guesses of it, `second_look` which answers to look at again, `forecast` how many labels an accuracy takes.

Beside a plan: `experiment` says which cells are finished or missing, `line_names` what its lines are called, `at_scale`
what runs are given beside a scale, `versions` what other settings come to, `tuning` which is best, `sweep_plan` and
`time_left` what a sweep does and how long. Beside the papers: `contents` lists their tables and figures, `conf_table`
reads CSVs, `published` and `comparison` say how far numbers are from ours, `table_lines` which groups are a table's
lines, `rules`, `rule_curves` and `rule_values` what a claim compares, `claims` whether it holds, `questions` what a
reader asks first, `coverage` how much is measured.
"""
