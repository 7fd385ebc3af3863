"""What a person says of pictures: how it is asked, and how it comes in and goes out.

The page meets a run through the run's folder alone: `storage/asked.py` says what is asked, `storage/answers.py` what
was answered. A person's oracles and the run itself read files of answers by `exchange` and `importing`.

The page (`command`, `server`) is a process of its own, and either of the two may end at any moment. The browser holds
what it shows and what was answered and is not yet on the disk (`page/`), the process what is asked and what was
answered (`desk`). Every answer names the picture that was on the screen.
"""
