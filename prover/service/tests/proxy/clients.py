"""The stock clients, at an address that is given: conversations, streams, tools, errors, timeouts and cuts."""
import sys

import anthropic
import httpx2
import openai

url, how = sys.argv[1:]
TOOL = {"type": "object", "properties": {"city": {"type": "string"}}}


def fails(kinds, call):
    try:
        call()
    except kinds as error:
        return error
    raise AssertionError(f"nothing is raised, expected {kinds}")


def say(text):
    return [{"role": "user", "content": text}]


def with_openai():
    client = openai.OpenAI(base_url=url + "/v1", api_key="none", max_retries=0)
    chat = client.chat.completions.create
    answer = chat(model="small", messages=say("hello"), user="me")
    assert answer.choices[0].message.content == "Hello there", answer
    chunks = list(chat(model="small", messages=say("hello"), stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello there"
    assert chunks[-1].choices[0].finish_reason == "stop"
    tools = [{"type": "function", "function": {"name": "weather", "parameters": TOOL}}]
    call = chat(model="small", messages=say("hello"), tools=tools).choices[0].message.tool_calls[0]
    assert (call.function.name, call.function.arguments) == ("weather", '{"city":"Bern"}')
    deltas = [chunk.choices[0].delta for chunk in chat(model="small", messages=say("hello"), tools=tools, stream=True)]
    calls = [delta.tool_calls[0].function for delta in deltas if delta.tool_calls]
    assert calls[0].name == "weather" and "".join(call.arguments for call in calls) == '{"city":"Bern"}'
    assert client.completions.create(model="small", prompt="hello").choices[0].text == "Hello there"
    texts = client.completions.create(model="small", prompt="hello", stream=True)
    assert "".join(chunk.choices[0].text for chunk in texts) == "Hello there"
    raw = client.chat.completions.with_raw_response.create(model="small", messages=say("hello"))
    assert (how == "direct") == (len(raw.headers.get("assay-request", "")) == 64)
    print("openai ok")
    assert fails(openai.NotFoundError, lambda: chat(model="unknown", messages=[])).status_code == 404
    assert "/v1/messages" in str(fails(openai.BadRequestError, lambda: chat(model="claude", messages=[])))
    error = fails(openai.RateLimitError, lambda: chat(model="small", messages=say("status 429")))
    assert error.code == "limit" and error.response.headers["retry-after"] == "7"
    fails(openai.InternalServerError, lambda: chat(model="small", messages=say("status 500")))
    fails(openai.InternalServerError, lambda: chat(model="small", messages=say("status 401")))
    assert fails(openai.InternalServerError, lambda: chat(model="small", messages=say("silent"))).status_code == 504
    quick = client.with_options(timeout=0.5)
    fails(openai.APITimeoutError, lambda: quick.chat.completions.create(model="small", messages=say("silent")))
    for word in ["cut", "end", "pause"]:
        fails(CUT[0], lambda: list(chat(model="small", messages=say(word), stream=True)))
    print("openai errors ok")


def with_anthropic():
    client = anthropic.Anthropic(base_url=url, api_key="none", max_retries=0)

    def create(text, **more):
        return client.messages.create(**{"model": "claude", "max_tokens": 9, "messages": say(text), **more})

    assert create("hello", metadata={"user_id": "me"}).content[0].text == "Hello there"
    events = [event.type for event in create("hello", stream=True)]
    assert events[0] == "message_start" and events[-1] == "message_stop", events
    with client.messages.stream(model="claude", max_tokens=9, messages=say("hello")) as stream:
        assert "".join(stream.text_stream) == "Hello there"
        assert stream.get_final_message().stop_reason == "end_turn"
    tools = [{"name": "weather", "input_schema": TOOL}]
    block = create("hello", tools=tools).content[0]
    assert (block.type, block.input) == ("tool_use", {"city": "Bern"})
    with client.messages.stream(model="claude", max_tokens=9, messages=say("hello"), tools=tools) as stream:
        assert stream.get_final_message().content[0].input == {"city": "Bern"}
    print("anthropic ok")
    assert fails(anthropic.NotFoundError, lambda: create("hello", model="unknown")).status_code == 404
    assert "/v1/chat/completions" in str(fails(anthropic.BadRequestError, lambda: create("hello", model="small")))
    assert fails(anthropic.RateLimitError, lambda: create("status 429")).response.headers["retry-after"] == "7"
    assert fails(anthropic.APIStatusError, lambda: create("status 529")).status_code == 529
    assert fails(anthropic.APIStatusError, lambda: create("status 403")).status_code == 502
    assert fails(anthropic.APIStatusError, lambda: create("silent")).status_code == 504
    quick = client.with_options(timeout=0.5)
    again = {"model": "claude", "max_tokens": 9, "messages": say("silent")}
    fails(anthropic.APITimeoutError, lambda: quick.messages.create(**again))
    for word in ["cut", "end", "pause"]:
        fails(CUT[1], lambda: list(create(word, stream=True)))
    print("anthropic errors ok")


# A cut stream breaks the connection at a node, whatever the client makes of that; behind verification nothing of it is handed on.
DIRECT = (httpx2.HTTPError, openai.APIConnectionError), (httpx2.HTTPError, anthropic.APIConnectionError)
CUT = DIRECT if how == "direct" else (openai.APIStatusError, anthropic.APIStatusError)
with_openai()
with_anthropic()
