"""What a command line is told before it is composed: unknown choices, `--help`."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from omegaconf import OmegaConf

from al_bench.config.groups import CONF, is_group, members, name_known
from al_bench.config.search_path import ITEM, items_of, missing_folder
from al_bench.errors import UserError

_PEOPLE = ("oracle=human", "oracle=files")
_BROUGHT = {  # by a person, each where nothing of these groups is chosen: Hydra's lists let groups choose one way only
    "strategy=margin": ("strategy", "method", "experiment"),
    "recipe=few_labels": ("recipe", "representation", "network", "learner", "method", "experiment"),
}
_SWEEPS = ("-m", "--multirun")
_PLAN = {"true": "true", "false": ""}
_ORDERS = {"lines": "lines", "seeds": "seeds"}
_PACKED = "hydra.launcher.packed"
_LAUNCHERS = ("processes", "slurm", "ray")
_OWN_FOLDER = ("--config-dir", "-cd")
_OWN_CONFIG = ("--config-path", "-cp", "--config-name", "-cn")
_SEARCHED = "hydra.searchpath="
_KEY = re.compile(r"[+~\w./@]+", re.ASCII)  # of an argument
_PLAIN = re.compile(r"[\w./@+:,-]*=[\w./:,-]*", re.ASCII)  # an argument that needs no look
_QUOTES = ("'", '"')
_LIST = re.compile(rf"\[(?:{ITEM})(?:,(?:{ITEM}))*\]")
_OPTIONS = (
    *("--help", "-h", "--hydra-help", "--version", "--resolve", "--run", "-r", "--multirun", "-m"),
    *("--shell-completion", "-sc", "--info", "-i"),
)
_OPTIONS_WITH_VALUE = (
    *("--cfg", "-c", "--package", "-p", "--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd"),
    *("--info", "-i", "--experimental-rerun"),
)
_SHORT = re.compile(r"-(?:cp|cn|cd|c|p|i)[^=-]")  # with its value, as -cjob
_NAMES = r"[^()\[\]{}$'\"]*"  # a choice is no function of Hydra's, list, node or reference


def prepare_line(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """What a person types as Hydra takes it, and whether a plan alone is asked for. Raises UserError for what can be
    told before anything is composed."""
    line, planned = with_sweep_words(with_own_folder(with_home(arguments)))
    if problem := unreadable(line) or unknown_choice(line) or unsupported(line):
        raise UserError(problem)
    return quoted(with_brought(line)), planned


def help_text() -> str:
    """What `--help` prints: Hydra would print the same, but first lists every group twice, whose time grows with each
    folder of `conf/`."""
    return str(OmegaConf.load(CONF / "config.yaml").hydra.help.template)


def unknown_choice(arguments: Sequence[str]) -> str | None:
    """A sentence about the first GROUP=CHOICE on a command line that is a list or names no file, None where all do.

    Said before Hydra composes anything, whose own message takes a screen; a key that is not known is told by `refusal`,
    for an experiment has keys of its own. With a search path or configuration folder of the user's own, what is known
    is left to Hydra.
    """
    if listed := next(filter(None, map(_listed, arguments)), None):
        return listed
    if any(argument.startswith(("hydra.searchpath", "--config-", "-cd", "-cp")) for argument in arguments):
        return None
    for argument in arguments:
        key, _, value = argument.partition("=")
        group = key.partition("@")[0]
        if not (re.fullmatch(_NAMES, value) and is_group(group) and "=" in argument):
            continue
        for choice in value.split(","):
            if choice not in (known := members(group)):
                return f"{key}={choice} is not known: {name_known(choice, known)}"
    return None


def _listed(argument: str) -> str | None:
    """What is right in the place of a list of choices, of which Hydra makes a node of no name; None for all else."""
    key, _, value = argument.lstrip("+").partition("=")
    if not is_group(key) or not re.fullmatch(r"\[[^\[\]{}]*\]", value):
        return None
    choices = [item.strip() for item in value[1:-1].split(",") if item.strip()]
    sweep = f"; for a sweep -m {key}={','.join(choices)}" if choices[1:] else f": use one of {', '.join(members(key))}"
    return f"{argument} must be one choice{f': {key}={choices[0]}' if len(choices) == 1 else sweep}"


def with_own_folder(arguments: Sequence[str]) -> list[str]:
    """The arguments, with a configuration folder of the user's own (`--config-dir DIR`) on the search path, which
    cells of a sweep and a plan are given, too. Raises UserError for one that is no folder."""
    rest, folder = list[str](), ""
    following = iter(arguments)
    for argument in following:
        option, equals, value = re.sub("^-cd(?=[^=])", "-cd=", argument).partition("=")
        if option in _OWN_FOLDER:
            folder = value if equals else next(following, "")
            if not Path(folder).expanduser().is_dir() or not folder:
                raise UserError(f"{option}={folder} is no folder that is there: name one with files of its own groups")
        else:
            rest.append(argument)
    if not folder:
        return rest
    searched = [",".join(items_of(item.removeprefix(_SEARCHED))) for item in rest if item.startswith(_SEARCHED)]
    own = _in_quotes(f"file://{Path(folder).expanduser().resolve()}")
    listed = ",".join([own, *searched[-1:]])
    return [*(item for item in rest if not item.startswith(_SEARCHED)), f"{_SEARCHED}[{listed}]"]


def with_home(arguments: Sequence[str]) -> list[str]:
    """The arguments, with `~` at the beginning of a folder for the home of whoever types them: no shell replaces it
    behind a key."""
    home = Path.home().as_posix()
    return [re.sub(r"^(paths\.\w+=['\"]?)~(?=/|['\"]?$)", rf"\g<1>{home}", argument) for argument in arguments]


def with_sweep_words(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """The arguments as Hydra takes them, and whether a plan alone is asked for: `plan=true` runs nothing, `order=seeds`
    does one seed of every line before the next. Both are of a sweep and of no run. Raises UserError for another value.

    A sweep that is packed is one of stacked cells, unless these say otherwise.
    """
    rest, plan = [], False
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key == "plan":
            plan = bool(_one_of(key, value, _PLAN))
        elif key == "order":
            rest.append(f"hydra.launcher.order={_one_of(key, value, _ORDERS)}")
        else:
            rest.append(argument)
    if f"{_PACKED}=true" in (argument.lstrip("+").lower() for argument in rest) and not any(map(_is_of_stacked, rest)):
        rest.append("stacked=true")
    return sorted(rest, key=lambda argument: argument not in _SWEEPS), plan  # Hydra reads no option between values


def _is_of_stacked(argument: str) -> bool:
    return argument.lstrip("+").startswith("stacked=")


def _one_of(key: str, value: str, known: Mapping[str, str]) -> str:
    if value.lower() not in known:
        raise UserError(f"{key}={value} must be {' or '.join(known)}")
    return known[value.lower()]


def folder_of(name: str, arguments: Sequence[str]) -> Path:
    """What `paths.<name>` is with these arguments."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    own = [item for item in quoted(with_home(arguments)) if item.startswith(f"paths.{name}=")]
    if not own:
        return Path(str(OmegaConf.load(CONF / "config.yaml").paths[name]))
    return Path(str(OverridesParser.create().parse_override(own[-1]).value()))


def with_brought(arguments: Sequence[str]) -> list[str]:
    """The arguments, and what a person brings who labels: no GAN is trained for one, and labels are few."""
    made = {argument.lstrip("+").partition("=")[0] for argument in arguments}
    brought = _BROUGHT if {*_PEOPLE} & {*arguments} else {}
    return [*arguments, *(choice for choice, groups in brought.items() if not made.intersection(groups))]


def quoted(arguments: Sequence[str]) -> list[str]:
    """The arguments, with quotes around each value that Hydra's grammar does not read without: names of folders and
    classes have letters of any language, brackets and `=`; of a list around each item. Maps, and what has quotes
    already, stay as they are."""
    return [argument if _is_readable(argument) else _with_quotes(argument) for argument in arguments]


def _is_readable(argument: str) -> bool:
    """Whether Hydra can read an argument, or nothing but a person can mend it."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    key, equals, value = argument.partition("=")
    if _PLAIN.fullmatch(argument) or not equals or not _KEY.fullmatch(key):
        return True
    if value[:1] in ("'", '"', "{") or (value[:1] == "[" and not _LIST.fullmatch(value)):
        return True
    try:
        OverridesParser.create().parse_override(argument)
    except HydraException:
        return False
    return True


def _with_quotes(argument: str) -> str:
    key, _, value = argument.partition("=")
    if _LIST.fullmatch(value):
        items = (item if item[:1] in _QUOTES else _in_quotes(item) for item in items_of(value))
        return f"{key}=[{','.join(items)}]"
    return f"{key}={_in_quotes(value)}"


def _in_quotes(text: str) -> str:
    inside = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), text)
    return f"'{inside}'"


def unreadable(arguments: Sequence[str]) -> str | None:
    """A sentence about the first argument that is neither KEY=VALUE nor an option of Hydra's, None where all are."""
    takes_next = False
    for argument in arguments:
        option = argument.partition("=")[0]
        if argument.startswith("-") and option not in (*_OPTIONS, *_OPTIONS_WITH_VALUE) and not _SHORT.match(argument):
            return f"{argument} is not known: options are -m and --help, all else is KEY=VALUE, such as seed=1"
        if not argument.startswith(("-", "~")) and "=" not in argument and not takes_next:
            return (
                f"{argument} has no =: write KEY=VALUE, such as seed=1, with quotes around what has spaces: 'KEY=A B'"
            )
        takes_next = argument in _OPTIONS_WITH_VALUE
    return None


def unsupported(arguments: Sequence[str]) -> str | None:
    """A sentence about the first of Hydra's settings on a command line that our runs do not go with, else None."""
    for argument in arguments:
        if problem := missing_folder(argument):
            return problem
        key, _, value = argument.lstrip("+").partition("=")
        if key in _OWN_CONFIG and {*_SWEEPS} & {*arguments}:
            return (
                f"{argument} is not for a sweep, whose cells begin with conf/config.yaml: give a folder of your own by "
                "--config-dir=DIR, and choose its files by GROUP=CHOICE"
            )
        if key == "oracle" and {*value.split(",")} & {"human", "files"} and {*_SWEEPS} & {*arguments}:
            return f"{argument} is not for a sweep: a person labels one run at a time, leave out -m"
        if argument in _PEOPLE and "dataset=image_folder" not in arguments:
            return (
                f"{argument} asks for labels of a folder of pictures: dataset=image_folder dataset.root=DIR "
                "'dataset.class_names=[cat,dog]'"
            )
        if value.startswith("interval("):
            return f"{argument} has no values that a sweep could go through: list some, such as {key}=0.1,0.2"
        if (swept := key.removeprefix("hydra.sweeper.params.")) != key:
            return f"{argument} is for files of conf/experiment: on a command line give -m and {swept}={value}"
        if key == "hydra.job.chdir" and value.lower() in ("true", "yes", "on", "1"):
            return f"{argument} is not for these runs: paths are relative to where the command starts, leave it out"
        if key == "hydra/launcher" and value not in _LAUNCHERS:
            ours = next((f"take {key}={name}" for name in _LAUNCHERS if name in value), "leave it out")
            one = "hydra.launcher.workers=1 runs one after the other"
            return f"{argument} is not for these sweeps, whose cells are processes of their own: {ours}, {one}"
    return None
