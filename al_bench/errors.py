"""The one kind of failure that a user can mend."""


class UserError(ValueError):
    """Something asked for cannot be done: one sentence that names the value and what would be right.

    `run.py` prints the sentence without a traceback and exits with code 2; every other exception is a defect of
    ours and keeps its traceback.
    """
