"""From stored cycles to numbers; nothing here makes a part of a page or trains.

Stored files: `reading` finds runs, exported cells and artifacts, `checking` says what each has to be, `pairs` reads the
images of a cycle, `traces` what a strategy measured inside its queries, `rebuilding` makes data sets and GANs again.
Over runs: `grouping` says which are one line, `curves` what a line comes to, `cost` its time and compute,
`artifact_users` which lines share what was trained once. For whoever labels: `picked` what queries asked for and the
model's guesses of it, `second_look` which answers to look at again, `forecast` how many labels an accuracy takes.
Beside a plan: `experiment` says which cells are finished or missing, `versions` what other settings come to,
`published` and `comparison` how far a paper's numbers are from ours.
"""
