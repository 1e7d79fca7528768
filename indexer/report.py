"""The page of figures: golden questions by chapter, language and style, what is confused, and a plot."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from indexer.evaluation import Outcome, figures

BEGIN = "<!-- Ab hier schreibt `lotse eval --golden --report`. -->"
END = "<!-- Bis hier. -->"
# Figure, its name on the page, and the bar it has to hold.
ROWS = (
    ("right_first", "richtiger Leitfaden zuerst", "≥ 85 %"),
    ("right_in_3", "richtiger unter den ersten drei", "≥ 95 %"),
    ("served", "bedient: richtig beantwortet oder richtig angeboten", "≥ 88 %"),
    ("answered_wrong", "falsch beantwortet", "≤ 7 %"),
    ("clarified", "Rückfrage „Meinten Sie“", "≤ 20 %"),
    ("near_miss_answered", "knapp daneben, doch beantwortet", "≤ 8 %"),
    ("near_miss_clarified", "knapp daneben, Rückfrage", "≤ 20 %"),
    ("unrelated_answered", "ganz anderes Thema, doch beantwortet", "≤ 1 %"),
    ("sure_and_right", "Antworten mit Zuversicht ab 0,9, die stimmen", "≥ 97 %"),
    ("sure_share", "Fragen, die eine solche Zuversicht erreichen", "≥ 40 %"),
)
MOST_CONFUSIONS = 15


def write(path: Path, found: Sequence[Outcome], chapters: Mapping[str, str], titles: Mapping[str, str]) -> None:
    """Write the measured part of the page `path` and the plot beside it; what else is on the page stays.

    chapters: the label of each guide's chapter by the guide's id. titles: each guide's title by its id.
    """
    plot = path.with_suffix(".svg")
    draw(plot, found)
    measured = "\n".join([BEGIN, "", *_page(found, chapters, titles, plot.name), "", END])
    page = path.read_text(encoding="utf-8") if path.exists() else f"# Wie gut gefunden wird\n\n{BEGIN}\n{END}\n"
    before, _, rest = page.partition(BEGIN)
    path.write_text(before + measured + rest.partition(END)[2], encoding="utf-8")


def _page(found: Sequence[Outcome], chapters: Mapping[str, str], titles: Mapping[str, str], plot: str) -> list[str]:
    halves = {half: [outcome for outcome in found if outcome.golden.half == half] for half in ("test", "tune")}
    shares = {half: figures(part) for half, part in halves.items()}
    counts = {
        half: Counter(o.golden.kind if not o.golden.guides else "in_scope" for o in part)
        for half, part in halves.items()
    }
    lines = [
        "## Gemessen",
        "",
        f"Prüfhälfte: {_counts(counts['test'])}. Abstimmhälfte: {_counts(counts['tune'])}. In Klammern das 95-Prozent-Intervall nach Wilson.",
        "",
        "| | Soll | Prüfhälfte | Abstimmhälfte |",
        "|---|---|---|---|",
    ]
    for name, label, bar in ROWS:
        lines.append(f"| {label} | {bar} | {_share(shares['test'], name)} | {_share(shares['tune'], name)} |")
    inside = [outcome for outcome in halves["test"] if outcome.golden.guides]
    for title, key in (
        ("Kapitel", lambda outcome: chapters[outcome.golden.guides[0]]),
        ("Sprache", lambda outcome: outcome.golden.language),
        ("Art", lambda outcome: outcome.golden.style),
    ):
        lines += ["", f"### Nach {title} (Prüfhälfte)", "", *_groups(inside, title, key)]
    lines += ["", "### Was verwechselt wird (Abstimmhälfte)", "", *_confusions(halves["tune"], titles)]
    lines += ["", "### Genauigkeit und Abdeckung", "", f"![Genauigkeit und Abdeckung]({plot})", ""]
    lines.append(
        "Je höher die Schwelle der Zuversicht, desto weniger Fragen werden beantwortet (Abdeckung: Anteil der Fragen, "
        "auf die es einen Leitfaden gibt), und desto mehr der gegebenen Antworten stimmen (Genauigkeit: unter allen "
        "Antworten, auch auf Fragen ohne Leitfaden)."
    )
    return lines


def _groups(inside: Sequence[Outcome], title: str, key: Callable[[Outcome], str]) -> list[str]:
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in inside:
        groups[key(outcome)].append(outcome)
    lines = [f"| {title} | Fragen | zuerst | unter drei | bedient | falsch |", "|---|---|---|---|---|---|"]
    for name, part in sorted(groups.items(), key=lambda group: -len(group[1])):
        shares = figures(part)
        row = [f"{100 * shares[field]:.0f} %" for field in ("right_first", "right_in_3", "served", "answered_wrong")]
        lines.append(f"| {name} | {len(part)} | {' | '.join(row)} |")
    return lines


def _confusions(found: Sequence[Outcome], titles: Mapping[str, str]) -> list[str]:
    pairs = Counter(
        (outcome.golden.guides[0], outcome.found[0])
        for outcome in found
        if outcome.golden.guides and not outcome.right_first
    )
    lines = ["| gemeint | zuerst gefunden | Fragen |", "|---|---|---|"]
    for (meant, first), count in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_CONFUSIONS]:
        lines.append(f"| {titles[meant]} | {titles[first]} | {count} |")
    return lines


def draw(path: Path, found: Sequence[Outcome]) -> None:
    """Plot precision against coverage as the threshold of confidence moves, a line for each half."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "lotse"  # the same figures give the same file
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4))
    for half, label in (("test", "Prüfhälfte"), ("tune", "Abstimmhälfte")):
        part = sorted((o for o in found if o.golden.half == half), key=lambda outcome: -outcome.confidence)
        inside = sum(bool(outcome.golden.guides) for outcome in part)
        right = covered = 0
        coverage, precision = [], []
        for answered, outcome in enumerate(part, 1):
            covered += bool(outcome.golden.guides)
            right += outcome.right_first
            coverage.append(covered / max(inside, 1))
            precision.append(right / answered)
        # The first few answers say little about a share.
        axes.plot(coverage[20:], precision[20:], label=label)
    axes.set_xlabel("Abdeckung")
    axes.set_ylabel("Genauigkeit")
    axes.set_ylim(0.5, 1.01)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    pyplot.close(figure)


def _counts(kinds: Mapping[str, int]) -> str:
    return (
        f"{kinds['in_scope']} Fragen mit Leitfaden, {kinds['near_miss']} knapp daneben, "
        f"{kinds['unrelated']} zu ganz anderen Themen"
    )


def _share(shares: Mapping[str, float], name: str) -> str:
    low, high = shares[f"{name}_low"], shares[f"{name}_high"]
    return f"{100 * shares[name]:.1f} % ({100 * low:.1f}–{100 * high:.1f})".replace(".", ",")
