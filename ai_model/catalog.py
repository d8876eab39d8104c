"""The model files Corral knows: where they come from, how big they are, what they must hash to."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_QUANT = "Q5_K_M"
PREFERENCE = ("Q5_K_M", "Q8_0", "Q4_K_M")
"""The order in which files found on disk are preferred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """One downloadable model file."""

    name: str
    title: str
    quant: str
    repo: str
    filename: str
    revision: str | None
    """Commit of the repository on the Hugging Face hub; None follows ``main``."""
    size_bytes: int
    """Exact when ``sha256`` is known, else approximate."""
    sha256: str | None
    """None until known: then the first verified download is recorded and binding from there on."""
    license: str
    note: str

    @property
    def url(self) -> str:
        """Where the file can be downloaded by hand."""
        revision = self.revision or "main"
        return f"https://huggingface.co/{self.repo}/resolve/{revision}/{self.filename}"


def _tinyllama(quant: str, size_bytes: int, sha256: str, note: str) -> CatalogEntry:
    return CatalogEntry(
        name=f"tinyllama-{quant.lower()}",
        title="TinyLlama 1.1B Chat v1.0",
        quant=quant,
        repo="TheBloke/TinyLlama-1.1B-Chat-v1.0-GGUF",
        filename=f"tinyllama-1.1b-chat-v1.0.{quant}.gguf",
        revision="52e7645ba7c309695bec7ac98f4f005b139cf465",
        size_bytes=size_bytes,
        sha256=sha256,
        license="Apache-2.0",
        note=note,
    )


CATALOG: tuple[CatalogEntry, ...] = (
    _tinyllama(
        "Q4_K_M",
        668_788_096,
        "9fecc3b3cd76bba89d504f29b616eedf7da85b96540e490ca5824d3f7d2776a0",
        "smallest; a little less accurate",
    ),
    _tinyllama(
        "Q5_K_M",
        783_017_344,
        "aa54a5fb99ace5b964859cf072346631b2da6109715a805d07161d157c66ce7f",
        "the default: reads prompts fastest on CPUs",
    ),
    _tinyllama(
        "Q8_0",
        1_170_781_568,
        "a4c9bb1dbaa372f6381a035fa5c02ef087aaa1ff1f843a56a22328114f03fc59",
        "closest to the original; reads prompts half as fast",
    ),
)
DEMO_NAME = "demo"
DEMO_TITLE = "Corral Demo"
DEMO_FILENAME = "demo.gguf"


class UnknownModel(ValueError):
    """A model name or quantisation that is not in the catalog. The text names those that are."""


def find_entry(name: str) -> CatalogEntry:
    """Return the entry called ``name``: a catalog name, a file name or a quantisation, any case.

    Raises UnknownModel.
    """
    wanted = name.strip().lower()
    for entry in CATALOG:
        if wanted in (entry.name, entry.quant.lower(), entry.filename.lower()):
            return entry
    known = ", ".join(entry.name for entry in CATALOG)
    raise UnknownModel(f"There is no model {name!r} in the catalog; it has {known}.")


def normal_quant(quant: str) -> str:
    """Return the catalog's spelling of a quantisation ("q5_k_m" -> "Q5_K_M"); "" stays "".

    Raises UnknownModel.
    """
    if not quant.strip():
        return ""
    wanted = quant.strip().upper().replace("-", "_")
    if wanted not in PREFERENCE:
        raise UnknownModel(
            f"There is no quantisation {quant!r}; choose one of {', '.join(PREFERENCE)}."
        )
    return wanted
