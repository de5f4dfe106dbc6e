"""The examples at the end of every ``--help``: one or two command lines that people begin with."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "rtcluster": ("rtcluster demo", "rtcluster listen"),
    "rtcluster demo": ("rtcluster demo --seconds 8", "rtcluster demo -o groove.wav"),
    "rtcluster listen": (
        "rtcluster listen -d 2 --features best --record take",
        "rtcluster listen --kit my.kit --monitor --midi synth",
    ),
    "rtcluster run": (
        "rtcluster run take.wav > hits.jsonl",
        "rtcluster run takes --kit my.kit --jobs 0 --out named",
    ),
    "rtcluster replay": ("rtcluster replay take", "rtcluster replay take --monitor"),
    "rtcluster teach": (
        "rtcluster teach kick snare hat --save-kit my.kit",
        "rtcluster teach --from take.wav --truth take.csv --save-kit my.kit",
    ),
    "rtcluster tune": (
        "rtcluster tune --kit my.kit --save-kit my.kit",
        "rtcluster tune take.wav --save-kit room.kit --json",
    ),
    "rtcluster analyze": (
        "rtcluster analyze take.wav -k 3",
        "rtcluster analyze take.wav --truth take.csv -o report",
    ),
    "rtcluster report": ("rtcluster report take", "rtcluster report take --bpm 96"),
    "rtcluster export": (
        "rtcluster export take --to midi,audacity --bpm auto",
        "rtcluster export hits.jsonl --to csv -o hits.csv",
    ),
    "rtcluster latency": ("rtcluster latency -d 2", "rtcluster latency -d 2 --count 50 --json"),
    "rtcluster devices": ("rtcluster devices", "rtcluster devices --json"),
    "rtcluster kit": ("rtcluster kit show my.kit", "rtcluster kit rename my.kit hat hihat"),
    "rtcluster kit show": ("rtcluster kit show my.kit", "rtcluster kit show my.kit --json"),
    "rtcluster kit rename": (
        "rtcluster kit rename my.kit hat hihat",
        "rtcluster kit rename my.kit 0 kick",
    ),
    "rtcluster kit merge": ("rtcluster kit merge my.kit snare rimshot",),
    "rtcluster kit remove": ("rtcluster kit remove my.kit cowbell",),
    "rtcluster plugin": ("rtcluster plugin build my.kit --out ~/.lv2",),
    "rtcluster plugin build": (
        "rtcluster plugin build my.kit --out ~/.clap --format clap",
        "rtcluster plugin build --generic --out ~/.lv2",
    ),
    "rtcluster plugin kit": ("rtcluster plugin kit my.kit -o my.rtkit",),
}
"""By the words of the command. A test has the parser read each."""


def epilog(words: str) -> str:
    """The end of a command's help; Typer takes an empty line for the end of a line."""
    examples = EXAMPLES[words]
    heading = "Example:" if len(examples) == 1 else "Examples:"
    return "\n\n".join((heading, *examples))
