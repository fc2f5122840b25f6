"""The official Python SDK, unmodified, against a started server: OPENAI_BASE_URL and OPENAI_API_KEY say where."""

import asyncio
import json
import sys
import time

import openai
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

client = OpenAI(max_retries=0)
MODEL = "demo"


class City(BaseModel):
    name: str
    inhabitants: int


def create_answers_with_text_and_usage() -> None:
    response = client.responses.create(model=MODEL, input="Say hello.")
    assert response.status == "completed", response.status
    assert response.output_text, "no text"
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


def stream_ends_with_the_text_that_its_deltas_made() -> None:
    with client.responses.stream(model=MODEL, input="Say hello.") as stream:
        events = list(stream)
        final = stream.get_final_response()
    deltas = "".join(it.delta for it in events if it.type == "response.output_text.delta")
    assert deltas == final.output_text, (deltas, final.output_text)
    assert [it.sequence_number for it in events] == list(range(len(events)))
    assert events[-1].type == "response.completed", events[-1].type


def a_tool_call_goes_out_and_its_output_comes_back() -> None:
    tool = {
        "type": "function",
        "name": "get_weather",
        "description": "The weather in a city",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    }
    first = client.responses.create(
        model=MODEL, input="What is the weather in Paris?", tools=[tool], tool_choice="required"
    )
    calls = [it for it in first.output if it.type == "function_call"]
    assert len(calls) == 1 and calls[0].name == "get_weather", first.output
    assert isinstance(json.loads(calls[0].arguments)["city"], str)
    output = {"type": "function_call_output", "call_id": calls[0].call_id, "output": "17 degrees and rain"}
    second = client.responses.create(model=MODEL, previous_response_id=first.id, input=[output], tools=[tool])
    assert second.status == "completed" and second.output_text, second.output


def structured_output_parses_into_its_model() -> None:
    response = client.responses.parse(model=MODEL, input="Name a city.", text_format=City)
    assert isinstance(response.output_parsed, City), response.output


def a_chain_remembers_and_can_be_read_and_deleted() -> None:
    first = client.responses.create(model=MODEL, input="My name is Ada.")
    second = client.responses.create(model=MODEL, previous_response_id=first.id, input="What is my name?")
    assert client.responses.retrieve(second.id).output_text == second.output_text
    items = client.responses.input_items.list(second.id)
    assert len(items.data) >= 1
    client.responses.delete(second.id)
    try:
        client.responses.retrieve(second.id)
    except openai.NotFoundError:
        return
    raise AssertionError("a deleted response was found")


def errors_arrive_as_the_sdks_own_classes() -> None:
    try:
        client.responses.create(model="no-such-model", input="hi")
    except openai.APIStatusError as error:
        assert error.code == "model_not_found", error.body
    else:
        raise AssertionError("an unknown model was accepted")
    try:
        OpenAI(api_key="sk-antiphon-wrong", max_retries=0).responses.create(model=MODEL, input="hi")
    except openai.AuthenticationError:
        return
    raise AssertionError("a wrong key was accepted")


def the_async_client_runs_many_at_once() -> None:
    async def run() -> list[str]:
        async with AsyncOpenAI(max_retries=0) as many:
            replies = [many.responses.create(model=MODEL, input=f"Say {n}.", store=False) for n in range(20)]
            return [reply.output_text for reply in await asyncio.gather(*replies)]

    texts = asyncio.run(run())
    assert len(texts) == 20 and all(texts)


TESTS = [
    create_answers_with_text_and_usage,
    stream_ends_with_the_text_that_its_deltas_made,
    a_tool_call_goes_out_and_its_output_comes_back,
    structured_output_parses_into_its_model,
    a_chain_remembers_and_can_be_read_and_deleted,
    errors_arrive_as_the_sdks_own_classes,
    the_async_client_runs_many_at_once,
]


def main() -> int:
    print(f"openai {openai.__version__} on Python {sys.version.split()[0]}")
    failed = 0
    for test in TESTS:
        start = time.monotonic()
        name = test.__name__.replace("_", " ")
        try:
            test()
        except Exception as error:  # noqa: BLE001 - every failure is reported, none stops the others
            failed += 1
            print(f"FAILED {name}: {type(error).__name__}: {error}")
        else:
            print(f"ok     {name} ({(time.monotonic() - start) * 1000:.0f} ms)")
    return 1 if failed else 0


sys.exit(main())
