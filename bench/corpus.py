"""A large corpus for timing: the real guides among made-up ones, up to a number of passages."""

import random
from dataclasses import dataclass, field

from indexer.passages import Guide, passages_of
from knowledge_base.guide import Knowledge

PASSAGES_A_GUIDE = 40
QUESTIONS_A_GUIDE = 12


@dataclass(frozen=True)
class MadeUp:
    """A guide of random words from the real ones; a third of its passages have two sentences."""

    id: str
    title: str
    chapter: str = "bench"
    version: str = "1"
    sections: dict[str, str] = field(default_factory=dict)
    questions: tuple[str, ...] = ()


def corpus(knowledge: Knowledge, passages: int, seed: int = 1) -> list[Guide]:
    """The real guides and as many made-up ones as it takes for `passages` passages."""
    chance = random.Random(seed)
    real: list[Guide] = list(knowledge.guides.values())
    words = [word for guide in real for text in guide.sections.values() for word in text.split() if word.isalpha()]

    def sentence(length: int) -> str:
        return " ".join(chance.choices(words, k=length)).capitalize() + "."

    missing = passages - sum(len(passages_of(guide)) for guide in real)
    made_up: list[Guide] = []
    while missing > 0:
        count = min(PASSAGES_A_GUIDE, missing)
        sections = {
            f"Abschnitt {number}": " ".join(sentence(14) for _ in range(2 if number % 3 == 0 else 1))
            for number in range(count)
        }
        questions = tuple(sentence(9) for _ in range(QUESTIONS_A_GUIDE))
        name = f"erfunden-{len(made_up)}"
        made_up.append(MadeUp(name, sentence(4), sections=sections, questions=questions))
        missing -= count
    return real + made_up
