"""Keys that have no shape of their own, by the name of the variable or the header that is for keys
of a provider of models: `MISTRAL_API_KEY=…`, `x-api-key: …`."""

from collections.abc import Iterator

from llmctl.privacy.detect.finding import Finding
from llmctl.privacy.detect.guess import is_random
from llmctl.privacy.detect.shape import pattern

# Those of the cards, and of providers that have no card of their own.
VARIABLES = (
    "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "AZURE_API_KEY", "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_KEY", "CEREBRAS_API_KEY", "CO_API_KEY", "COHERE_API_KEY", "DASHSCOPE_API_KEY",
    "DEEPSEEK_API_KEY", "FIREWORKS_API_KEY", "GEMINI_API_KEY", "GIGACHAT_ACCESS_TOKEN",
    "GIGACHAT_CREDENTIALS", "GIGACHAT_PASSWORD", "GOOGLE_API_KEY", "GROQ_API_KEY", "HF_TOKEN",
    "HUGGINGFACEHUB_API_TOKEN", "HUGGING_FACE_HUB_TOKEN", "LLAMA_API_KEY", "LM_API_TOKEN",
    "MISTRAL_API_KEY", "MOONSHOT_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY",
    "PERPLEXITY_API_KEY", "REPLICATE_API_TOKEN", "TOGETHER_API_KEY", "VLLM_API_KEY",
    "VOYAGE_API_KEY", "XAI_API_KEY", "YC_API_KEY", "YC_IAM_TOKEN", "YC_OAUTH_TOKEN", "YC_TOKEN",
    "ZAI_API_KEY",
)  # fmt: skip
HEADERS = ("api-key", "x-api-key", "x-goog-api-key", "ocp-apim-subscription-key")
# `"NAME": "…"`, `environ["NAME"] = "…"`, `name: NAME, value: …`, `ENV NAME …`.
_VALUE = (
    r"(?i)[\"'`\])]{0,3}\s{0,8}(?P<sign>:=|=>|={1,2}|:|,)?\s{0,16}(?:\"?value\"?\s{0,2}[:=]\s{0,2})?"
    r"(?:[bfru]?[\"'`])?(?P<key>[A-Z0-9_\-+/.~]{24,200}+={0,2})(?![A-Z0-9])"
)


def found(text: str) -> Iterator[Finding]:
    # All variables have the one sign, all headers the other: most texts have neither.
    variables = (*VARIABLES, *map(str.lower, VARIABLES)) if "_" in text else ()
    headers = (*HEADERS, *map(str.title, HEADERS)) if "-" in text else ()
    for name in (*variables, *headers):
        at = text.find(name)
        while at >= 0:
            end = at + len(name)
            match = pattern(_VALUE).match(text, end)
            # `--api-key NAME` is of any program.
            told = match is not None and (name not in headers or match["sign"])
            if match is not None and told and _is_key(match["key"].rstrip(".")):
                start, end = match.span("key")
                yield Finding("secret", start, end - (match["key"][-1] == "."), "api-key")
            at = text.find(name, end)


def _is_key(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value)) and is_random(value)
