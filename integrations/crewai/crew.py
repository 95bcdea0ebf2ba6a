"""A crew whose model is the gateway; LocalCrew is set up the same way. AICC_MASTER_KEY must be set."""

import os

from crewai import LLM, Agent, Crew, Task

llm = LLM(
    model="openai/auto",
    base_url=os.environ.get("AICC_URL", "http://127.0.0.1:4000") + "/v1",
    api_key=os.environ["AICC_MASTER_KEY"],
)
writer = Agent(role="Writer", goal="Write one clear sentence", backstory="A careful writer.", llm=llm)
task = Task(description="Describe what a gateway does.", expected_output="One sentence.", agent=writer)

if __name__ == "__main__":
    print(Crew(agents=[writer], tasks=[task]).kickoff())
