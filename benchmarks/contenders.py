"""The programs that send one streamed prompt: llmctl, `llm` by Simon Willison, an httpx script."""

from benchmarks.harness import BENCH, SCRIPTS, LoadServer, Program, venv_command, venv_python

KEY = "sk-" + "mock"


def contenders(server: LoadServer, tokens: int) -> list[Program]:
    """Each asks for an answer of so many tokens; `httpx` is the yardstick."""
    url = server.url(tokens)
    return [
        Program(
            "llmctl",
            (venv_command("llmctl", "llmctl"), "ask", "-m", "openai/mock", "say hi"),
            {
                "OPENAI_API_KEY": KEY,
                "LLMCTL_PROVIDERS__OPENAI__BASE_URL": url,
            },
        ),
        Program("httpx", (venv_python("httpx"), str(SCRIPTS / "httpx_script.py"), url)),
        llm(server, tokens),
    ]


def llm(server: LoadServer, tokens: int) -> Program:
    """llm reads the address of a server from a file of its own."""
    folder = BENCH / "homes" / f"llm-settings-{tokens}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "extra-openai-models.yaml").write_text(
        f"- model_id: mock\n  model_name: mock\n  api_base: {server.url(tokens)}\n"
    )
    return Program(
        "llm",
        (venv_command("llm", "llm"), "-m", "mock", "say hi"),
        {"OPENAI_API_KEY": KEY, "LLM_USER_PATH": str(folder)},
    )
