"""The one kind of failure that a user can mend."""

from unicodedata import category

_ESCAPED = ("Cc", "Cs", "Zl", "Zp")  # controls, lone surrogates, which stand for such bytes, separators of lines


class UserError(ValueError):
    """Something asked for cannot be done: one sentence that names the value and what would be right.

    `run.py` prints the sentence without a traceback and exits with code 2; every other exception is a defect of
    ours and keeps its traceback.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


def printable(text: object) -> str:
    """Some text, such as the name of a file, with an escape for what a terminal or a page does not take: bytes that are
    no UTF-8, ends of lines."""
    return "".join(one.encode("unicode_escape").decode() if category(one) in _ESCAPED else one for one in str(text))
