"""An extractor from outside: a language model behind an OpenAI-compatible service, held to the ontology and the words.

    [project.entry-points."kgfuse.extractors"]
    llm = "your_package:build"

    kgfuse init shop.kg -o retail --set extract.plugins.llm.url=http://127.0.0.1:8080/v1 \\
        --set extract.plugins.llm.model=my-model

The service is asked once about a text: the catalog keeps the answer by text, model, prompt and ontology. Nothing it
says is believed by itself: a name must stand in the text, letter by letter, or the statement is dropped; the gate
asks the ontology about the rest. A service that cannot be reached is told as that source's problem, and the build
goes on. What a workspace holds of a text does not depend on the others; but the same question may get another answer
from such a service tomorrow, which is why the answer is kept and the confidence is only 0.6.
"""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from typing import Any

from kgfuse.extract.protocol import Found
from kgfuse.extract.settings import ExtractSettings
from kgfuse.extract.values import value_of
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Mention, Source, Statement, TextSpan
from kgfuse.terms.namespaces import digest

CONFIDENCE = 0.6
PROMPT = """Which of these properties does the text state, and of what? Copy subject and object from the text, letter by
letter. Answer with JSON only: {"triples": [{"subject": "…", "property": "…", "object": "…"}]}

Properties:
"""


class LlmExtractor:
    """Asks a service for triples and keeps those whose words are there."""

    name = "llm"
    kinds = frozenset(("text",))

    def __init__(self, vocabulary: Vocabulary, url: str, model: str, key_variable: str = "OPENAI_API_KEY") -> None:
        self.vocabulary, self.url, self.model, self.key_variable = vocabulary, url.rstrip("/"), model, key_variable
        self.properties = {p.label: p for p in sorted(vocabulary.properties.values(), key=lambda p: p.iri)}
        self.prompt = PROMPT + "\n".join(f"- {label}: {p.definition}" for label, p in self.properties.items())
        self.fingerprint = digest(url, model, self.prompt, vocabulary.sha256)
        self.parameters = {"url": url, "model": model}  # goes into the record of the run; a key must not

    def extract(self, source: Source) -> Iterator[Found]:
        text = source.text or ""
        for said in self._ask(text):
            prop = self.properties.get(str(said.get("property")))
            subject = self._mention(source, text, str(said.get("subject", "")))
            found = self._mention(source, text, str(said.get("object", "")))
            if prop is None or subject is None or found is None:
                continue  # a property that is not there, or words that are not: made up
            value = value_of(found.label, prop.range) if prop.kind == "data" else found
            if value is not None:
                reason = f"{self.model} says so"
                evidence = (subject, found)
                yield Statement(subject, prop.iri, value, evidence, "llm", CONFIDENCE, reason, source.iri)

    def _ask(self, text: str) -> list[dict[str, Any]]:
        messages = [{"role": "system", "content": self.prompt}, {"role": "user", "content": text}]
        body = {"model": self.model, "messages": messages, "temperature": 0, "seed": 0}
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {os.environ.get(self.key_variable, '')}",
        }
        request = urllib.request.Request(f"{self.url}/chat/completions", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=120) as answer:
            told = json.load(answer)["choices"][0]["message"]["content"]
        found = json.loads(told[told.index("{") : told.rindex("}") + 1])  # some models wrap JSON in words
        return [t for t in found.get("triples", ()) if isinstance(t, dict)]

    def _mention(self, source: Source, text: str, words: str) -> Mention | None:
        start = text.find(words) if words.strip() else -1
        return Mention(source.iri, TextSpan(start, start + len(words), words), words, "llm") if start >= 0 else None


def build(vocabulary: Vocabulary, settings: ExtractSettings) -> LlmExtractor:
    """What the entry point names; the settings are those under ``extract.plugins.llm``."""
    own = settings.plugins.get("llm", {})
    return LlmExtractor(vocabulary, own.get("url", "http://127.0.0.1:8080/v1"), own.get("model", "default"))
