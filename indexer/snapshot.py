"""An index snapshot: one immutable directory that describes itself.

It is written beside the live one, under a name that begins with a dot, and renamed when it is complete; then the file
`current` of the index directory (indexer.directory) is replaced. A reader thus sees the old index or the new one, never a
half of either.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from indexer.directory import CANDIDATE, MANIFEST, current, make_current
from indexer.embedder import model_name
from indexer.heads import Heads
from indexer.lexical import Lexical
from indexer.passages import Guide, Passage, passages_of
from indexer.text import clean

if TYPE_CHECKING:
    import faiss
    from sentence_transformers import SentenceTransformer

Floats = npt.NDArray[np.float32]
Progress = Callable[[str, int, int], None]

SCHEMA = 1
MENDS = "`lotse index --full` baut ihn neu."
CHUNK = 256  # texts embedded between two calls of `progress`
NO_GUIDE = -1  # owner of a question in the bank that no guide answers


class SnapshotError(RuntimeError):
    """The index cannot be used or built; the message says what to do."""


@dataclass(frozen=True)
class BuildReport:
    """What a build did. `embedded` and `reused` count texts (passages, sentences, questions), seconds are wall time.

    `seconds` is the whole build, `embedding_seconds` and `heads_seconds` the parts of it spent in the model and in
    training the heads. `removed` counts texts of the previous snapshot that are in this one no more.
    """

    guides: int
    passages: int
    embedded: int
    reused: int
    removed: int
    seconds: float
    embedding_seconds: float
    heads_seconds: float
    snapshot: Snapshot


@dataclass(frozen=True)
class Vectors:
    """Vectors of one kind of text as a FAISS index of inner products, with each row's text hash.

    `matrix` shows the vectors that the index holds, shape (rows, dimension), without a copy.
    """

    index: faiss.IndexFlatIP
    hashes: list[str]
    matrix: Floats

    @classmethod
    def read(cls, path: Path, hashes: list[str]) -> Vectors:
        index = _read_faiss(path)
        if index.ntotal != len(hashes):
            raise ValueError(f"{path.name} has {index.ntotal} rows, not {len(hashes)}")
        return cls(index, hashes, _matrix(index))

    def nearest(self, vector: Floats, most: int) -> tuple[Floats, npt.NDArray[np.int64]]:
        """Scores and rows of at most `most` nearest vectors, best first."""
        most = min(most, self.index.ntotal)
        if not most:
            return np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int64)
        scores, rows = self.index.search(vector.reshape(1, -1), most)
        return scores[0], rows[0]


@dataclass(frozen=True)
class Snapshot:
    """An open snapshot; nothing in it changes, so any number of threads may read it.

    guides: ids in the order of the classes of `heads`. passage_owner, bank_owner: the guide's number of each passage
    and of each question of the bank (NO_GUIDE for negatives). sentence_start: the sentences of passage p are the rows
    sentence_start[p]..sentence_start[p + 1]. heads is None without question banks (a BEIR corpus).
    """

    path: Path
    manifest: dict[str, Any]
    guides: list[str]
    passages: list[Passage]
    passage_owner: npt.NDArray[np.int64]
    sentence_start: npt.NDArray[np.int64]
    bank_owner: npt.NDArray[np.int64]
    passage_vectors: Vectors
    sentence_vectors: Vectors
    bank_vectors: Vectors
    lexical: Lexical
    heads: Heads | None

    @classmethod
    def open(cls, directory: Path, model: str) -> Snapshot:
        """Open the live snapshot of the index `directory`, which must be made with the model named `model`.

        Raises SnapshotError when there is none, or it is incomplete, or of another model or schema.
        """
        path = current(directory)
        if path is None:
            raise SnapshotError(f"In {directory} gibt es keinen Index. `lotse index` baut ihn.")
        return cls.read(path, model)

    @classmethod
    def read(cls, path: Path, model: str) -> Snapshot:
        """Open the snapshot in `path`. Errors as with `open`."""
        manifest = _read_manifest(path)
        if manifest.get("schema") != SCHEMA:
            raise SnapshotError(
                f"Der Index {path} hat Schema {manifest.get('schema')}, dieses Programm braucht {SCHEMA}. {MENDS}"
            )
        if manifest["model"] != model:
            raise SnapshotError(
                f"Der Index {path} gehört zum Modell {manifest['model']!r}, eingestellt ist {model!r}. {MENDS}"
            )
        for file, size in manifest["files"].items():
            if not (path / file).is_file() or (path / file).stat().st_size != size:
                raise SnapshotError(f"Der Index {path} ist unvollständig: {file} fehlt oder ist beschädigt. {MENDS}")
        try:
            return cls._read_parts(path, manifest)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SnapshotError(f"Der Index {path} ist beschädigt ({error}). {MENDS}") from error

    def vectors(self) -> dict[str, Floats]:
        """All vectors by the hash of their text (`text_hash`)."""
        kinds = (self.passage_vectors, self.sentence_vectors, self.bank_vectors)
        return {key: kind.matrix[row] for kind in kinds for row, key in enumerate(kind.hashes)}

    @classmethod
    def _read_parts(cls, path: Path, manifest: dict[str, Any]) -> Snapshot:
        with (path / "passages.jsonl").open(encoding="utf-8") as file:
            passages = [Passage(**json.loads(line)) for line in file]
        hashes = json.loads((path / "hashes.json").read_text(encoding="utf-8"))
        with np.load(path / "owners.npz", allow_pickle=False) as owners:
            passage_owner, bank_owner, sentence_start = owners["passages"], owners["bank"], owners["sentences"]
        return cls(
            path=path,
            manifest=manifest,
            guides=list(manifest["guides"]),
            passages=passages,
            passage_owner=passage_owner,
            sentence_start=sentence_start,
            bank_owner=bank_owner,
            passage_vectors=Vectors.read(path / "passages.faiss", hashes["passages"]),
            sentence_vectors=Vectors.read(path / "sentences.faiss", hashes["sentences"]),
            bank_vectors=Vectors.read(path / "bank.faiss", hashes["bank"]),
            lexical=Lexical.load(path),
            heads=Heads.load(path) if (path / "heads.npz").exists() else None,
        )


def build(
    guides: Iterable[Guide],
    negatives: Sequence[str],
    directory: Path,
    embedder: SentenceTransformer,
    *,
    previous: Snapshot | None = None,
    cache: Mapping[str, Floats] | None = None,
    progress: Progress | None = None,
    companions: Mapping[str, str] | None = None,
    activate: bool = True,
) -> BuildReport:
    """Build a snapshot of `guides` in the index `directory` and make it the live one.

    `negatives` are questions that no guide answers. Texts that `previous` holds, made with the same model, or whose
    embeddings are in `cache` (indexer.cache), are not embedded again. `progress(stage, done, total)` is told the stages
    "embed", "train" and "write".
    `companions` are texts that belong to the snapshot, by file name. With `activate=False` the new snapshot is left beside
    the live one as a candidate, for `make_current`. Figures in the guides' texts are to be filled in before. Raises SnapshotError when nothing is to be indexed or the disk is full; the live snapshot
    then stays in use.
    """
    guide_list = list(guides)
    passages = [passage for guide in guide_list for passage in passages_of(guide)]
    if not passages:
        raise SnapshotError(
            "Es gibt nichts zu indizieren: Kein Leitfaden hat Text. `lotse check` prüft die Wissensbasis."
        )
    negative_list = [clean(text) for text in negatives]
    builder = _Build(guide_list, passages, negative_list, embedder, previous, progress, cache, companions)
    return builder.run(directory, activate)


def build_corpus(
    passages: Sequence[Passage],
    directory: Path,
    embedder: SentenceTransformer,
    *,
    previous: Snapshot | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Build a snapshot of bare passages (a BEIR corpus): no guides, no bank, no heads. Else as `build`."""
    if not passages:
        raise SnapshotError("Es gibt nichts zu indizieren: Das Korpus ist leer.")
    return _Build([], list(passages), [], embedder, previous, progress).run(directory, True)


class _Build:
    """The state of one build."""

    def __init__(
        self,
        guides: list[Guide],
        passages: list[Passage],
        negatives: list[str],
        embedder: SentenceTransformer,
        previous: Snapshot | None,
        progress: Progress | None,
        cache: Mapping[str, Floats] | None = None,
        companions: Mapping[str, str] | None = None,
    ) -> None:
        self.guides = guides
        self.cache = cache or {}
        self.companions = companions or {}
        self.passages = passages
        self.embedder = embedder
        self.model = model_name(embedder)
        self.progress = progress or (lambda stage, done, total: None)
        self.started = time.perf_counter()
        self.embedding_seconds = 0.0
        self.heads_seconds = 0.0
        self.previous = previous if previous is not None and previous.manifest["model"] == self.model else None

        number = {guide.id: n for n, guide in enumerate(guides)}
        self.passage_owner = np.array([number.get(passage.guide, NO_GUIDE) for passage in passages], dtype=np.int64)
        # A guide's title is an example question, too: so every guide has one.
        self.bank = [(clean(text), n) for n, guide in enumerate(guides) for text in (guide.title, *guide.questions)]
        if guides:
            self.bank += [(text, NO_GUIDE) for text in negatives]
        sentences = [passage.sentences for passage in passages]
        # A passage of one sentence has the passage's vector only.
        self.sentences = [text for texts in sentences if len(texts) > 1 for text in texts]
        counts = [len(texts) if len(texts) > 1 else 0 for texts in sentences]
        self.sentence_start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def run(self, directory: Path, activate: bool) -> BuildReport:
        texts = [passage.embedded_text for passage in self.passages]
        document_hashes = {text: text_hash("document", text) for text in (*texts, *self.sentences)}
        query_hashes = {text: text_hash("query", text) for text, _ in self.bank}
        hashes = {
            "passages": [document_hashes[text] for text in texts],
            "sentences": [document_hashes[text] for text in self.sentences],
            "bank": [query_hashes[text] for text, _ in self.bank],
        }
        known = self._known_vectors()
        missing = [("document", text) for text, key in document_hashes.items() if key not in known]
        missing += [("query", text) for text, key in query_hashes.items() if key not in known]
        wanted = len(document_hashes) + len(query_hashes)
        fresh = self._embed(missing)
        vectors = {kind: self._gather(keys, known, fresh) for kind, keys in hashes.items()}

        lexical = Lexical.build(texts)
        owners = [int(owner) for owner in self.passage_owner] + [owner for _, owner in self.bank]
        corpus = hashlib.sha256(json.dumps([hashes, owners], sort_keys=True).encode()).hexdigest()
        heads = self._heads(texts, vectors["bank"], corpus) if self.guides else None

        now = datetime.now(UTC)
        manifest: dict[str, Any] = {
            "schema": SCHEMA,
            "model": self.model,
            "dimension": int(vectors["passages"].shape[1]),
            "corpus": corpus,
            "guides": {guide.id: guide.version for guide in self.guides},
            "built_at": now.isoformat(timespec="seconds"),
            "counts": {
                "passages": len(self.passages),
                "sentences": len(self.sentences),
                "questions": sum(owner != NO_GUIDE for _, owner in self.bank),
                "negatives": sum(owner == NO_GUIDE for _, owner in self.bank),
            },
        }
        name = f"{'' if activate else CANDIDATE}{now:%Y%m%dT%H%M%S%f}-{corpus[:8]}"
        path = self._write(directory, name, hashes, vectors, lexical, heads, manifest)
        snapshot = Snapshot.read(path, self.model)
        if activate:
            with _clear_errors(directory):
                make_current(directory, path)
        before = set(self.previous.vectors()) if self.previous is not None else set()
        return BuildReport(
            guides=len(self.guides),
            passages=len(self.passages),
            embedded=len(missing),
            reused=wanted - len(missing),
            removed=len(before - set(document_hashes.values()) - set(query_hashes.values())),
            seconds=time.perf_counter() - self.started,
            embedding_seconds=self.embedding_seconds,
            heads_seconds=self.heads_seconds,
            snapshot=snapshot,
        )

    def _known_vectors(self) -> dict[str, Floats]:
        known = dict(self.cache)
        if self.previous is not None:
            known |= self.previous.vectors()
        return known

    def _embed(self, texts: list[tuple[str, str]]) -> dict[str, Floats]:
        """Embed (role, text) pairs, longest first so that texts of one length share a batch."""
        started = time.perf_counter()
        fresh: dict[str, Floats] = {}
        for role in ("document", "query"):
            ordered = sorted((text for kind, text in texts if kind == role), key=len, reverse=True)
            encode = self.embedder.encode_document if role == "document" else self.embedder.encode_query
            for start in range(0, len(ordered), CHUNK):
                chunk = ordered[start : start + CHUNK]
                rows = encode(chunk, convert_to_numpy=True, normalize_embeddings=True, show_progress_bar=False)
                fresh.update((text_hash(role, text), row) for text, row in zip(chunk, np.asarray(rows), strict=True))
                self.progress("embed", len(fresh), len(texts))
        self.embedding_seconds = time.perf_counter() - started
        return fresh

    def _gather(self, keys: list[str], known: Mapping[str, Floats], fresh: Mapping[str, Floats]) -> Floats:
        dimension = self.embedder.get_embedding_dimension()
        vectors = np.zeros((len(keys), int(dimension or 0)), dtype=np.float32)
        for row, key in enumerate(keys):
            vectors[row] = fresh[key] if key in fresh else known[key]
        return vectors

    def _heads(self, texts: list[str], bank_vectors: Floats, corpus: str) -> Heads | None:
        if self.previous is not None and self.previous.manifest["corpus"] == corpus:
            return self.previous.heads
        guides = len(self.guides)
        labels = [guides if owner == NO_GUIDE else owner for _, owner in self.bank]
        if len(set(labels)) < 2:
            return None  # a single guide and no negatives: nothing to tell apart
        self.progress("train", 0, 1)
        started = time.perf_counter()
        questions = [text for text, _ in self.bank]
        heads = Heads.train(bank_vectors, questions, labels, texts, [int(n) for n in self.passage_owner], guides)
        self.heads_seconds = time.perf_counter() - started
        self.progress("train", 1, 1)
        return heads

    def _write(
        self,
        directory: Path,
        name: str,
        hashes: dict[str, list[str]],
        vectors: dict[str, Floats],
        lexical: Lexical,
        heads: Heads | None,
        manifest: dict[str, Any],
    ) -> Path:
        self.progress("write", 0, 1)
        with _clear_errors(directory):
            directory.mkdir(parents=True, exist_ok=True)
            _remove_abandoned(directory)
            temporary = Path(tempfile.mkdtemp(dir=directory, prefix=".building-"))
            try:
                with (temporary / "passages.jsonl").open("w", encoding="utf-8") as file:
                    file.writelines(json.dumps(asdict(passage), ensure_ascii=False) + "\n" for passage in self.passages)
                (temporary / "hashes.json").write_text(json.dumps(hashes), encoding="utf-8")
                with (temporary / "owners.npz").open("wb") as binary:
                    bank_owner = np.array([owner for _, owner in self.bank], dtype=np.int64)
                    np.savez(binary, passages=self.passage_owner, bank=bank_owner, sentences=self.sentence_start)
                for kind, rows in vectors.items():
                    _write_faiss(temporary / f"{kind}.faiss", rows)
                lexical.save(temporary)
                if heads is not None:
                    heads.save(temporary)
                for companion, text in self.companions.items():
                    (temporary / companion).write_text(text, encoding="utf-8")
                manifest["seconds"] = {
                    "embedding": round(self.embedding_seconds, 3),
                    "heads": round(self.heads_seconds, 3),
                    "total": round(time.perf_counter() - self.started, 3),
                }
                manifest["files"] = {file.name: file.stat().st_size for file in sorted(temporary.iterdir())}
                described = json.dumps(manifest, ensure_ascii=False, indent=2)
                (temporary / MANIFEST).write_text(described + "\n", encoding="utf-8")
                for file_path in temporary.iterdir():
                    _sync(file_path)
                path = directory / name
                temporary.chmod(0o755)
                temporary.rename(path)
                _sync(directory)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
        self.progress("write", 1, 1)
        return path


def text_hash(role: str, text: str) -> str:
    """The key of a text's vector; `role` is "query" or "document"."""
    return hashlib.blake2b(f"{role}\n{text}".encode(), digest_size=16).hexdigest()


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SnapshotError(f"Der Index {path} ist unvollständig: {MANIFEST} ist nicht lesbar. {MENDS}") from error
    if not isinstance(manifest, dict):
        raise SnapshotError(f"Der Index {path} ist beschädigt: {MANIFEST} hat keine Felder. {MENDS}")
    return manifest


def _read_faiss(path: Path) -> Any:  # noqa: ANN401 - FAISS declares the base class only
    import faiss

    # Through memory, so that a failed read or write is Python's OSError and not a RuntimeError of the library.
    try:
        return faiss.deserialize_index(np.frombuffer(path.read_bytes(), dtype=np.uint8))
    except RuntimeError as error:
        raise ValueError(f"{path.name} is no FAISS index") from error


def _matrix(index: faiss.IndexFlatIP) -> Floats:
    import faiss

    if not index.ntotal:
        return np.zeros((0, index.d), dtype=np.float32)
    matrix: Floats = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d).reshape(index.ntotal, index.d)
    matrix.flags.writeable = False
    return matrix


def _write_faiss(path: Path, vectors: Floats) -> None:
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    path.write_bytes(faiss.serialize_index(index).tobytes())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_abandoned(directory: Path) -> None:
    """Remove what a killed build left; younger than an hour, it may be a build that still runs."""
    for path in directory.glob(".building-*"):
        if time.time() - path.stat().st_mtime > 3600:
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _clear_errors(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SnapshotError(
                f"In {directory} ist kein Platz mehr für den Index. Platz schaffen und `lotse index` wiederholen; der letzte "
                "gute Index bleibt in Gebrauch."
            ) from error
        raise SnapshotError(
            f"Der Index kann nicht nach {directory} geschrieben werden ({error}). Rechte prüfen und `lotse index` wiederholen; "
            "der letzte gute Index bleibt in Gebrauch."
        ) from error
