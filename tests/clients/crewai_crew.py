"""CrewAI, which LocalCrew is built on: an agent with a tool, and its model through the gateway."""

from __future__ import annotations

import os

os.environ |= {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "OTEL_SDK_DISABLED": "true",
    "CREWAI_TRACING_ENABLED": "false",
}

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool
from steps import KEY, URL, main, step

used: list[str] = []


@tool("get_weather")
def get_weather(city: str) -> str:
    """Weather of a city."""
    used.append(city)
    return "rain"


def model(**options: object) -> LLM:
    return LLM(model="openai/auto", base_url=URL + "/v1", api_key=KEY, **options)


@step
def calls_the_model_streamed_and_not() -> None:
    assert model().call("hello")
    assert model(stream=True).call("hello")


@step
def a_crew_works() -> None:
    agent = Agent(
        role="Reporter", goal="Tell the weather", backstory="A reporter.", llm=model(), tools=[get_weather]
    )
    task = Task(
        description="What is the weather? Use the tool get_weather.",
        expected_output="A sentence.",
        agent=agent,
    )
    result = Crew(agents=[agent], tasks=[task], verbose=False).kickoff()
    assert str(result)
    assert used, "the agent called its tool"


if __name__ == "__main__":
    main()
