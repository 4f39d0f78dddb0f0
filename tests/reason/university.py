"""Generated data of universities after the LUBM benchmark (Guo, Pan & Heflin, 2005), as integers, of any size."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyoxigraph as ox
from numpy.typing import NDArray

from kgfuse.reason.symbols import IRI, LITERAL, Numbering, Term
from tests.reason.turtle import triples

UB = "http://swat.cse.lehigh.edu/onto/univ-bench.owl#"
DATA = "http://university.example/"

ONTOLOGY = f"""
@prefix ub: <{UB}> .
ub:AssistantProfessor rdfs:subClassOf ub:Professor . ub:FullProfessor rdfs:subClassOf ub:Professor .
ub:Professor rdfs:subClassOf ub:Faculty . ub:Faculty rdfs:subClassOf ub:Employee .
ub:Employee a owl:Class ; owl:intersectionOf (
    ub:Person [ a owl:Restriction ; owl:onProperty ub:worksFor ; owl:someValuesFrom ub:Organization ] ) .
ub:Student a owl:Class ; owl:intersectionOf (
    ub:Person [ a owl:Restriction ; owl:onProperty ub:takesCourse ; owl:someValuesFrom ub:Course ] ) .
ub:Chair a owl:Class ; rdfs:subClassOf ub:Professor ; owl:intersectionOf (
    ub:Person [ a owl:Restriction ; owl:onProperty ub:headOf ; owl:someValuesFrom ub:Department ] ) .
ub:UndergraduateStudent rdfs:subClassOf ub:Student . ub:GraduateStudent rdfs:subClassOf ub:Person ,
    [ a owl:Restriction ; owl:onProperty ub:takesCourse ; owl:someValuesFrom ub:GraduateCourse ] .
ub:GraduateCourse rdfs:subClassOf ub:Course . ub:Course rdfs:subClassOf ub:Work . ub:Work a owl:Class .
ub:Article rdfs:subClassOf ub:Publication . ub:Publication a owl:Class . ub:Person a owl:Class .
ub:Department rdfs:subClassOf ub:Organization . ub:University rdfs:subClassOf ub:Organization .
ub:ResearchGroup rdfs:subClassOf ub:Organization . ub:Organization a owl:Class .
ub:headOf a owl:ObjectProperty ; rdfs:subPropertyOf ub:worksFor . ub:worksFor a owl:ObjectProperty ;
    rdfs:subPropertyOf ub:memberOf . ub:memberOf a owl:ObjectProperty ; rdfs:domain ub:Person ;
    rdfs:range ub:Organization . ub:member a owl:ObjectProperty ; owl:inverseOf ub:memberOf .
ub:subOrganizationOf a owl:TransitiveProperty , owl:ObjectProperty ; rdfs:domain ub:Organization .
ub:takesCourse a owl:ObjectProperty . ub:teacherOf a owl:ObjectProperty ; rdfs:domain ub:Faculty ;
    rdfs:range ub:Course . ub:advisor a owl:ObjectProperty ; rdfs:domain ub:Person ; rdfs:range ub:Professor .
ub:publicationAuthor a owl:ObjectProperty ; rdfs:domain ub:Publication ; rdfs:range ub:Person .
ub:doctoralDegreeFrom rdfs:subPropertyOf ub:degreeFrom . ub:degreeFrom a owl:ObjectProperty ; rdfs:domain ub:Person ;
    rdfs:range ub:University ; owl:inverseOf ub:hasAlumnus . ub:hasAlumnus a owl:ObjectProperty .
ub:colleagueOf a owl:SymmetricProperty , owl:ObjectProperty . ub:emailAddress a owl:DatatypeProperty .
"""


def ontology() -> list[ox.Triple]:
    """A small ontology after univ-bench, in its namespace."""
    return triples(ONTOLOGY)


class Campus(Numbering):
    """A numbering whose individuals and their addresses are not kept one by one."""

    def __init__(self, schema: Iterable[ox.Triple]) -> None:
        super().__init__()
        self.schema = self.rows(schema)
        for name in (*CLASSES, *PROPERTIES):
            self.number(ox.NamedNode(UB + name))
        self.number(ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"))
        self.base = 1 << 16  # whatever the engine asks for besides is numbered below

    def kinds(self, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Kind of each number: above the base, even ones are individuals, odd ones addresses."""
        own = np.array([*self._kinds, *[IRI] * (self.base - len(self._kinds))], np.uint8)
        low = own[np.minimum(ids, self.base - 1)]
        return np.where(ids < self.base, low, np.where(ids % 2, LITERAL, IRI)).astype(np.uint8)

    def term(self, number: int) -> Term:
        """The term of a number."""
        if number < self.base:
            return super().term(number)
        return ox.Literal(f"{number}@university.example") if number % 2 else ox.NamedNode(f"{DATA}{number}")

    def triples(self, rows: NDArray[np.int64]) -> list[ox.Triple]:
        """The triples of an array (n, 3)."""
        return [ox.Triple(*map(self.term, row)) for row in rows.tolist()]  # type: ignore[arg-type]


CLASSES = (
    "University", "Department", "ResearchGroup", "FullProfessor", "AssistantProfessor", "GraduateStudent",
    "UndergraduateStudent", "Course", "GraduateCourse", "Article", "Person",
)  # fmt: skip
PROPERTIES = (
    "subOrganizationOf", "worksFor", "headOf", "memberOf", "teacherOf", "takesCourse", "advisor",
    "publicationAuthor", "doctoralDegreeFrom", "emailAddress", "colleagueOf",
)  # fmt: skip
_DEPARTMENT = 600  # triples of a department, about


def university(campus: Campus, size: int, seed: int = 0) -> NDArray[np.int64]:
    """About ``size`` triples about universities, with the ontology, sorted.

    Args:
        campus: numbers the terms.
        size: how many triples there shall be, about.
        seed: what is random.
    """
    random = np.random.default_rng(seed)
    departments = max(1, size // _DEPARTMENT)
    number = {n: campus.number(ox.NamedNode(UB + n)) for n in (*CLASSES, *PROPERTIES)}
    kind = campus.number(ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"))
    parts = [campus.schema]
    used = 0

    def nodes(many: int) -> NDArray[np.int64]:
        nonlocal used
        found = campus.base + 2 * np.arange(used, used + many)
        used += many
        return found

    def say(s: NDArray[np.int64], p: str, o: NDArray[np.int64]) -> None:
        parts.append(np.column_stack((s, np.full(len(s), number[p]), o)))

    def are(s: NDArray[np.int64], c: str) -> None:
        parts.append(np.column_stack((s, np.full(len(s), kind), np.full(len(s), number[c]))))

    def each(many: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return nodes(departments * many), np.repeat(np.arange(departments), many)

    def some(of: NDArray[np.int64], many: int, at: NDArray[np.int64]) -> NDArray[np.int64]:
        return of[at * many + random.integers(0, many, len(at))]

    universities = nodes(max(1, departments // 15))
    are(universities, "University")
    department, at = each(1)
    are(department, "Department")
    say(department, "subOrganizationOf", universities[random.integers(0, len(universities), len(department))])
    group, at = each(4)
    are(group, "ResearchGroup")
    say(group, "subOrganizationOf", department[at])
    professor, at = each(10)
    are(professor[::2], "FullProfessor")
    are(professor[1::2], "AssistantProfessor")
    say(professor, "worksFor", department[at])
    say(professor, "doctoralDegreeFrom", universities[random.integers(0, len(universities), len(professor))])
    say(professor, "emailAddress", professor + 1)
    say(professor, "colleagueOf", some(professor, 10, at))
    say(professor[::10], "headOf", department)
    course, at = each(15)
    are(course[::2], "Course")
    are(course[1::2], "GraduateCourse")
    say(some(professor, 10, at), "teacherOf", course)
    student, at = each(60)
    are(student[::4], "GraduateStudent")
    are(np.delete(student, slice(None, None, 4)), "UndergraduateStudent")
    say(student, "memberOf", department[at])
    say(student, "emailAddress", student + 1)
    for _ in range(2):
        say(student, "takesCourse", some(course, 15, at))
    say(student, "advisor", some(professor, 10, at))
    article, at = each(40)
    are(article, "Article")
    say(article, "publicationAuthor", some(professor, 10, at))
    say(article, "publicationAuthor", some(student, 60, at))
    rows = np.concatenate(parts)
    rows = rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]
    return rows[np.concatenate(([True], (rows[1:] != rows[:-1]).any(axis=1)))]
