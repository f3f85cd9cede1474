"""The routes of plain requests: is it well, which model, and the genre of a file."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, File, Query, Request, UploadFile
from pydantic import BaseModel

from songnet.api.problems import Problem
from songnet.api.schemas import FileAnswer, ModelAnswer, file_answer, model_answer, model_name
from songnet.api.service import TheService

__all__ = ["routes"]

routes = APIRouter()
_PROBLEMS = {
    400: "No file, or a parameter is wrong.",
    403: "A page of another site asks.",
    408: "The file does not arrive.",
    413: "The file is larger or longer than the limit.",
    415: "The file is not audio that can be decoded.",
    422: "The audio is too short or silent.",
    503: "There is no model, nothing that decodes, or there are too many files.",
}


class Health(BaseModel):
    """The server answers, and its model is there."""

    status: str


def _documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {
        status: {
            "description": _PROBLEMS[status],
            "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
        }
        for status in statuses
    }


@routes.get("/health", responses=_documented(503))
async def health(service: TheService) -> Health:
    """Say whether files can be named: 200, or 503 where there is no model."""
    await service.classifier()
    return Health(status="ok")


@routes.get("/model", responses=_documented(503))
async def model(service: TheService) -> ModelAnswer:
    """Describe the model: its genres, and how accurate it was measured to be."""
    return model_answer((await service.classifier()).bundle)


@routes.post("/predict", responses=_documented(*_PROBLEMS))
async def predict(
    request: Request,
    service: TheService,
    file: Annotated[UploadFile, File(description="An audio file of any common kind.")],
    top: Annotated[int, Query(ge=1, le=100, description="Number of genres in `top`.")] = 3,
    *,
    timeline: Annotated[bool, Query(description="How the genre moves over the track.")] = False,
) -> FileAnswer:
    """Name the genre of an audio file, and who made it.

    Its name counts only where it has exactly the form of FMA's names; nothing
    of it is kept.
    """
    classifier = await service.classifier()
    name = file.filename or ""

    def work() -> FileAnswer:
        data = file.file.read()
        prediction = classifier.predict(data, limits=service.limits.decode)
        return file_answer(
            prediction,
            service.recognise(data, name),
            model=model_name(classifier.bundle),
            top=top,
            timeline=timeline,
        )

    return await service.in_turn(request, work)
