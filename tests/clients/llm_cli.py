"""Simon Willison's `llm`, set up as integrations/llm/extra-openai-models.yaml says."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from steps import KEY, URL, main, step

home = Path(tempfile.mkdtemp(prefix="aicc-llm-"))
READY = Path(__file__).resolve().parents[2] / "integrations" / "llm" / "extra-openai-models.yaml"
(home / "extra-openai-models.yaml").write_text(READY.read_text().replace("http://127.0.0.1:4000", URL))
env = {**os.environ, "LLM_USER_PATH": str(home), "LLM_LOAD_PLUGINS": ""}


def llm(*arguments: str, text: str = "") -> str:
    program = str(Path(sys.executable).with_name("llm"))
    done = subprocess.run(
        [program, *arguments], input=text, capture_output=True, text=True, env=env, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@step
def sets_the_key() -> None:
    llm("keys", "set", "aicc", "--value", KEY)


@step
def lists_the_models() -> None:
    assert "aicc" in llm("models")


@step
def prompts_streamed_and_not() -> None:
    assert llm("-m", "aicc", "hello").strip() == llm("-m", "aicc", "--no-stream", "hello").strip() != ""


@step
def uses_a_tool() -> None:
    code = 'def get_weather(city: str) -> str:\n    "Weather of a city."\n    return "rain"\n'
    assert "tool" in llm("-m", "aicc", "--functions", code, "What is the weather? Use the tool.")


@step
def answers_in_a_schema() -> None:
    assert "name" in llm("-m", "aicc", "--schema", "name, people int", "a city")


if __name__ == "__main__":
    main()
