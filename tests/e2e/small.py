"""A small knowledge base of real guides, to change and to break: it is checked and indexed in seconds."""

import json
import re
import shutil
from pathlib import Path

import yaml

from knowledge_base.guide import ROOT

GUIDES = (
    "konflikte", "spende-oder-sponsoring", "vergaberecht", "buergerstiftung", "corporate-volunteering", "pro-bono",
    "haftung-und-versicherung", "kommunikation",
)  # fmt: skip


def small_knowledge_base(root: Path) -> Path:
    """Write it under `root`: eight guides with their banks and golden questions, and links among them alone."""
    (root / "questions").mkdir(parents=True)
    for name in ("taxonomy.yaml", "zahlen.yaml", "houses.yaml", "embeddings.npz"):
        shutil.copy(ROOT / name, root / name)
    for guide in (*GUIDES, "_none"):
        shutil.copy(ROOT / "questions" / f"{guide}.txt", root / "questions")
    for path in ROOT.glob("guides/*/*.md"):
        if path.stem in GUIDES:
            copy = root / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(re.sub(r"(?m)^related: \[.*\]", _kept, path.read_text(encoding="utf-8")), encoding="utf-8")
    terms = yaml.safe_load((ROOT / "glossar.yaml").read_text(encoding="utf-8"))
    kept = {word: {**term, "guides": [g for g in term["guides"] if g in GUIDES]} for word, term in terms.items()}
    kept = {word: term for word, term in kept.items() if term["guides"]}
    (root / "glossar.yaml").write_text(yaml.safe_dump(kept, allow_unicode=True), encoding="utf-8")
    with (root / "golden.jsonl").open("w", encoding="utf-8") as file:
        for line in (ROOT / "golden.jsonl").read_text(encoding="utf-8").splitlines():
            wanted = json.loads(line)["guides"]
            if wanted and set(wanted) <= set(GUIDES):
                file.write(line + "\n")
    return root


def _kept(match: re.Match[str]) -> str:
    related = [guide for guide in re.findall(r"[a-z0-9-]+", match[0])[1:] if guide in GUIDES]
    return f"related: [{', '.join(related)}]"
