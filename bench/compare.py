"""Figure (e): the same passages, questions and model in our retriever, in txtai and in Haystack, in one run.

Each runs in a process of its own. Ours is measured twice: as a bare passage ranking, and with the question bank.
recall@3 counts golden questions (test half) whose guide is among the guides of the first three different guides found.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from sentence_transformers import SentenceTransformer

from indexer.embedder import load_embedder
from indexer.evaluation import read_golden
from indexer.passages import Passage, passages_of
from indexer.retriever import Retriever
from indexer.snapshot import build, build_corpus
from knowledge_base.guide import ROOT, load_or_raise

Search = Callable[[str], list[str]]
CONTESTANTS = ("passages alone", "with question bank", "txtai", "haystack")
MOST = 20


def ours(passages: list[Passage], embedder: SentenceTransformer, bank: bool) -> Search:
    folder = Path(tempfile.mkdtemp())
    if not bank:
        retriever = Retriever(build_corpus(passages, folder, embedder).snapshot, embedder)
        return lambda question: [passage.guide for passage, _ in retriever.rank_passages(question, most=MOST)]
    knowledge = load_or_raise()
    snapshot = build(knowledge.guides.values(), knowledge.negatives, folder, embedder).snapshot
    retriever = Retriever(snapshot, embedder)
    return lambda question: [guide.id for guide in retriever.search(question).guides]


def txtai(passages: list[Passage], embedder: SentenceTransformer) -> Search:
    """txtai with our vectors and its own BM25, combined as it does by default."""
    from txtai import Embeddings

    querying = False

    def transform(texts: Any) -> Any:  # noqa: ANN401 - as txtai calls it
        encode = embedder.encode_query if querying else embedder.encode_document
        return np.asarray(encode(list(texts), show_progress_bar=False))

    embeddings = Embeddings(method="external", transform=transform, hybrid=True, content=False)
    embeddings.index([(number, passage.embedded_text, None) for number, passage in enumerate(passages)])
    querying = True
    return lambda question: [passages[int(number)].guide for number, _ in embeddings.search(question, MOST)]


def haystack(passages: list[Passage], embedder: SentenceTransformer) -> Search:
    """Haystack's in-memory store, embedding and BM25 retrievers joined by reciprocal rank fusion."""
    from haystack import Document
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    texts = [passage.embedded_text for passage in passages]
    vectors = embedder.encode_document(texts, show_progress_bar=False)
    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    store.write_documents(
        [
            Document(content=text, embedding=[float(x) for x in vector], meta={"guide": passage.guide})
            for text, vector, passage in zip(texts, vectors, passages, strict=True)
        ]
    )
    dense, words = InMemoryEmbeddingRetriever(store, top_k=MOST), InMemoryBM25Retriever(store, top_k=MOST)
    joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=MOST)

    def search(question: str) -> list[str]:
        vector = [float(x) for x in embedder.encode_query(question, show_progress_bar=False)]
        lists = [dense.run(query_embedding=vector)["documents"], words.run(query=question)["documents"]]
        return [str(document.meta["guide"]) for document in joiner.run(documents=lists)["documents"]]

    return search


def measure(name: str) -> dict[str, float]:
    embedder = load_embedder()
    passages = [passage for guide in load_or_raise().guides.values() for passage in passages_of(guide)]
    golden = [one for one in read_golden(ROOT / "golden.jsonl", "test") if one.guides]
    started = time.perf_counter()
    if name == "txtai":
        search = txtai(passages, embedder)
    elif name == "haystack":
        search = haystack(passages, embedder)
    else:
        search = ours(passages, embedder, bank=name == "with question bank")
    build_seconds = time.perf_counter() - started
    search("Aufwärmen")
    hits, seconds = 0, []
    for one in golden:
        started = time.perf_counter()
        found = search(one.question)
        seconds.append(time.perf_counter() - started)
        hits += any(guide in one.guides for guide in list(dict.fromkeys(found))[:3])
    return {
        "build_s": build_seconds,
        "median_ms": 1000 * statistics.median(seconds),
        "recall@3": hits / len(golden),
        "resident_mb": psutil.Process().memory_info().rss / 2**20,
    }


def main() -> None:
    if len(sys.argv) == 2:
        print(json.dumps(measure(sys.argv[1])))
        return
    for name in CONTESTANTS:
        command = [sys.executable, "-m", "bench.compare", name]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this file
        figures = json.loads(done.stdout.splitlines()[-1])
        print(f"{name:20}", "  ".join(f"{key} {value:8.3f}" for key, value in figures.items()), flush=True)


if __name__ == "__main__":
    main()
