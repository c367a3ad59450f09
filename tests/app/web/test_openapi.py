"""Every answer under /api is as its OpenAPI tells, whatever is asked, and no error of ours."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode, openapi
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok

from app.web.serving import details, serving
from goldenthread.app.api.project import Project, init_project
from goldenthread.app.web.site import dashboard
from goldenthread.app.web.terms import ServeTerms

if TYPE_CHECKING:
    from pathlib import Path

    from schemathesis import APIOperation, BaseSchema

    Operation = APIOperation[Any, Any, Any, Any]

pytestmark = pytest.mark.slow

load_all_checks()
TOO_STRICT: Any = CHECKS.get_by_names(["positive_data_acceptance"])
"""An id may be well formed and not be there: that is refused, too."""


def told(folder: Path) -> BaseSchema:
    """The OpenAPI of a project's dashboard, gates and all."""
    terms = ServeTerms(Project.open(folder), names=("testserver",))
    return openapi.from_asgi("/api/openapi.json", dashboard(terms))


def operations(schema: BaseSchema) -> list[Operation]:
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(found) >= 13
    return found


def held(operation: Operation, mode: GenerationMode, times: int) -> None:
    """Ask the address whatever its parameters allow, or what they do not, and check each answer."""

    @settings(
        max_examples=times,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def asked(case: Case[Any]) -> None:
        case.call_and_validate(excluded_checks=TOO_STRICT)

    asked()


def test_of_a_book_with_data_every_answer_is_as_told(summer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    for operation in operations(told(folder)):
        held(operation, GenerationMode.POSITIVE, times=25)
        if operation.query:  # a text as a step of the path is never wrong by its form
            held(operation, GenerationMode.NEGATIVE, times=25)


def test_before_there_are_bars_and_before_the_first_run_too(tmp_path: Path, imported: Path) -> None:
    init_project(tmp_path)
    for folder in (tmp_path, imported):
        for operation in operations(told(folder)):
            held(operation, GenerationMode.POSITIVE, times=4)


def test_what_the_book_has_is_answered_as_told(summer: Path) -> None:
    schema = told(summer)
    with serving(summer) as url:
        signal, strategy, curve = (path.split("/")[2:] for path in details(url))
    for address, named in {
        "/api/signals/{signal_id}": {"signal_id": signal[0]},
        "/api/strategies/{strategy_id}": {"strategy_id": strategy[0]},
        "/api/shadow/{strategy_id}/{name}": {"strategy_id": curve[0], "name": curve[1]},
    }.items():
        answer = schema[address]["GET"].Case(path_parameters=named).call_and_validate()
        assert (answer.status_code, len(answer.content) > 100) == (200, True)


def test_every_answer_is_told_field_by_field(summer: Path) -> None:
    raw = told(summer).raw_schema
    models = raw["components"]["schemas"]
    for path, methods in raw["paths"].items():
        for answers in (each["responses"] for each in methods.values()):
            assert set(answers) == {"200", "4XX", "503"}, path
            good = answers["200"]["content"]["application/json"]["schema"]
            assert good.get("items", good)["$ref"].rpartition("/")[2] in models, path
    records = {name: model for name, model in models.items() if model["type"] == "object"}
    assert [n for n, m in records.items() if m.get("additionalProperties", True)] == []
    assert len(records) >= 25
