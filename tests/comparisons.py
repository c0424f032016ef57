"""Comparisons for tests: one as a user would make it, one of a thousand runs, one of hostile texts.

`sample()` asks six models in Russian: one in this process, one on a server of the user's own, one
priced in dollars, two in roubles (of which one fails now and then), and one that policy refuses.
"""

import random
from collections.abc import Sequence
from decimal import Decimal

from llmctl.compare.figures import Advice, Summary
from llmctl.compare.shape import WARM_UP, Candidate, Case, Comparison, Mark, Skipped, Trial
from llmctl.compare.summary import summarised
from llmctl.types import (
    Cost,
    CostKind,
    Failure,
    FinishReason,
    Latency,
    Level,
    Receipt,
    Usage,
    Verdict,
)
from llmctl.values import dataclass, replace

ID = "01jd9w3k5m7p9r1t3v5x7z9b1d"
STARTED = "2026-11-25T12:03:04Z"
CHECK = "contains=Канберра"
PROMPT = "Столица Австралии?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One candidate and how it behaves: seconds to the first and to the last token, price of a
    run, and what it answers in turn."""

    candidate: Candidate
    ttft: float
    total: float
    amount: str | None
    currency: str | None
    answers: tuple[str, ...]


def verdict(level: Level, region: str | None = None, days: int | None = None) -> Verdict:
    return Verdict(allowed=True, level=level, region=region, retention_days=days,
                   facts_checked="2026-11-23")  # fmt: skip


def candidate(name: str, at: Verdict, **facts: object) -> Candidate:
    provider = name.partition("/")[0]
    return Candidate(name=name, model=name, provider=provider, verdict=at, **facts)  # type: ignore[arg-type]


MODELS = (
    Model(
        candidate=candidate("local/smollm2-135m", verdict(Level.DEVICE), weights="open",
                            licence="Apache-2.0", memory=210_000_000),
        ttft=0.061, total=0.92, amount="0", currency="USD",
        answers=("Столица Австралии — Сидней. Это крупнейший город страны.",
                 "Столица Австралии — город Сидней."),
    ),
    Model(
        candidate=candidate("ollama/qwen3:0.6b", verdict(Level.NETWORK), weights="open",
                            licence="Apache-2.0", memory=680_000_000),
        ttft=0.18, total=1.9, amount="0", currency="USD",
        answers=("Столица Австралии — Канберра.", "Столицей Австралии является Мельбурн.",
                 "Столица Австралии — это город Канберра."),
    ),
    Model(
        candidate=candidate("openai/gpt-6-luna", verdict(Level.NO_TRAINING, "US", 30),
                            weights="closed"),
        ttft=0.41, total=0.83, amount="0.0000186", currency="USD",
        answers=("Столица Австралии — Канберра.",),
    ),
    Model(
        candidate=candidate("gigachat/GigaChat-2", verdict(Level.NO_TRAINING, "RU"),
                            weights="closed"),
        ttft=0.33, total=0.61, amount="0.0059", currency="RUB",
        answers=("Столица Австралии — **Канберра**. Город был построен специально как столица.",
                 "Столицей Австралии является город Канберра."),
    ),
    Model(
        candidate=candidate("yandexgpt/yandexgpt-5-lite", verdict(Level.ZERO_RETENTION, "RU", 0),
                            weights="closed"),
        ttft=0.29, total=0.66, amount="0.0066", currency="RUB",
        answers=("Канберра — столица Австралии.",),
    ),
)  # fmt: skip
REFUSED = Candidate(
    name="deepseek/deepseek-chat",
    model="deepseek/deepseek-chat",
    provider="deepseek",
    verdict=Verdict(allowed=False, level=Level.MAY_TRAIN, region="CN",
                    reasons=("the region CN is not RU or US",), broken=("region",)),
    refused=Failure(code="privacy-refused", exit_code=4,
                    message="deepseek/deepseek-chat processes prompts in CN"),
)  # fmt: skip
CUT_OFF = Failure(code="cut-off", exit_code=11, message="the stream ended before its end mark",
                  retryable=True, provider="yandexgpt")  # fmt: skip


def trial(
    at: int, model: Model, case: int, repeat: int, text: str, *, vary: float = 1.0,
    error: Failure | None = None, checks: Sequence[str] = (CHECK,),
) -> Trial:  # fmt: skip
    """A run of `model`; times are `vary` times its own, and connecting took 20 ms more."""
    connect = 0.02
    cost = Cost() if model.amount is None else Cost(
        amount=model.amount, currency=model.currency, kind=CostKind.COMPUTED,
        price_source="https://example.org/prices", price_date="2026-11-20")  # fmt: skip
    latency = Latency(
        connect_s=connect, first_byte_s=connect + model.ttft * vary * 0.9,
        ttft_s=connect + model.ttft * vary, total_s=connect + model.total * vary,
        output_tokens_per_s=len(text) / 3 / (model.total - model.ttft) / vary,
    )  # fmt: skip
    receipt = Receipt(
        id=f"{at}-{case}-{repeat}", started_at=STARTED, requested=model.candidate.name,
        provider=model.candidate.provider, resolved=model.candidate.name.partition("/")[2],
        text=text, finish_reason=FinishReason.ERROR if error else FinishReason.STOP,
        usage=Usage(input_tokens=14, output_tokens=max(1, len(text) // 3)), cost=cost,
        latency=latency, verdict=model.candidate.verdict, attempts=1, error=error,
    )  # fmt: skip
    marks = () if error else tuple(_mark(check, text) for check in checks)
    return Trial(candidate=at, case=case, repeat=repeat, receipt=receipt, marks=marks)


def _mark(check: str, text: str) -> Mark:
    passed = check.partition("=")[2] in text
    return Mark(check=check, passed=passed, why=None if passed else "it is not in the answer")


def sample(repeat: int = 5) -> Comparison:
    """Every model `repeat` times, times varying by about a tenth; yandexgpt is cut off once."""
    chance = random.Random(7)
    trials = []
    for number in range(repeat + 1):
        for at, model in enumerate(MODELS):
            text = model.answers[number % len(model.answers)]
            cut = number == 1 and model.candidate.provider == "yandexgpt"
            trials.append(trial(at, model, 0, number or WARM_UP, "Канбер" if cut else text,
                                vary=chance.lognormvariate(0, 0.1),
                                error=CUT_OFF if cut else None))  # fmt: skip
    return Comparison(
        id=ID, started_at=STARTED, seed=20261125, cases=(Case(id="1", text=PROMPT),),
        candidates=(*(model.candidate for model in MODELS), REFUSED), trials=tuple(trials),
        repeat=repeat, planned=len(trials), seconds=14.2, checks=(CHECK,), min_pass=0.8,
        skipped=(Skipped(line=7, why="no prompt in this row"),),
        asked={"--model": [model.candidate.name for model in MODELS], "--repeat": repeat},
    )  # fmt: skip


class Rates:
    """100 roubles a dollar, compared in roubles."""

    currency = "RUB"

    def __call__(self, amount: Decimal, code: str, /) -> Decimal:
        return amount * 100 if code == "USD" else amount


def summary(
    comparison: Comparison, *, rates: Rates | None = None, chosen: int | None = 3
) -> Summary:
    """The figures as they are worked out, with a front and an advice that are given."""
    advice = Advice(
        chosen=chosen,
        reasons=("It passed every check, and no other that did is as fast.",
                 "Prompts stay in RU and are not trained on."),
    ) if chosen is not None else None  # fmt: skip
    front = tuple(at for at in (0, 2, 3, 4) if at < len(comparison.candidates))
    return replace(summarised(comparison, rates=rates), front=front, advice=advice)


def many(candidates: int = 4, cases: int = 250, letters: int = 400, repeat: int = 1) -> Comparison:
    """Random words of Russian letters (two bytes each), no two answers alike."""
    chance = random.Random(11)
    words = ["".join(chance.choices("абвгдежзиклмнопрстуфхцчшщэюя", k=chance.randint(2, 9)))
             for _ in range(600)]  # fmt: skip
    trials = []
    for case in range(cases):
        common = chance.choices(words, k=letters // 6)
        for number in range(1, repeat + 1):
            for at, model in enumerate(MODELS[:candidates]):
                text = " ".join(
                    one if chance.random() < 0.7 else chance.choice(words) for one in common
                )
                trials.append(trial(at, model, case, number, text[:letters].ljust(letters, "."),
                                    vary=chance.lognormvariate(0, 0.2)))  # fmt: skip
    return Comparison(
        id=ID, started_at=STARTED, seed=11, trials=tuple(trials), planned=len(trials),
        candidates=tuple(model.candidate for model in MODELS[:candidates]),
        cases=tuple(Case(id=f"row-{number}", text=f"{PROMPT} {number}") for number in range(cases)),
        repeat=repeat, seconds=300.0, checks=(CHECK,),
    )  # fmt: skip


# What runs, reorders or ends something wherever it is not taken as text.
HOSTILE = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\"><svg onload=\"document.title='owned'\">",
    "</div></article></main></body><script>document.title='owned'</script>",
    "</title></svg></style></script><script>document.title='owned'</script><!--",
    '"><a href="javascript:document.title=\'owned\'" autofocus onfocus="document.title=1">',
    "{{7*7}} ${7*7} &lt;b&gt; &#60;script&#62; ]]> <![CDATA[<iframe src=http://192.0.2.1/>",
    "\u202etxt.exe\u2066 \u2067abc\u2069 \x1b]0;owned\x07\x00\x9b31m \ud800 \u2028\ufffe",
    "<link rel=stylesheet href=//192.0.2.1/x.css><meta http-equiv=refresh content=0;url=//x.test>",
    "<style>*{display:none}</style><base href=//192.0.2.1><form action=//192.0.2.1><input>",
    "Z̸̢̛̺a̷̧̢̛l̵̢̧̛g̴̢̛o " * 20 + "x" * 5000,
)


def hostile() -> Comparison:
    """Every text that others could have a hand in says something hostile: names of models,
    licences, prompts, expected answers, answers, errors, marks, reasons of policy."""
    every = "\n".join(HOSTILE)
    models = tuple(
        replace(model, candidate=replace(model.candidate, name=f"{text} {at}", model=text,
                                         licence=text, provider=text))
        for at, (model, text) in enumerate(zip(MODELS, HOSTILE, strict=False))
    )  # fmt: skip
    refused = replace(REFUSED, refused=Failure(code=every, exit_code=4, message=every))
    trials = [
        replace(trial(at, model, 0, repeat, every, error=replace(CUT_OFF, message=every)
                      if at == 1 else None),
                marks=(Mark(check=every, passed=False, why=every),))
        for repeat in (1, 2) for at, model in enumerate(models)
    ]  # fmt: skip
    return replace(
        sample(2), candidates=(*(one.candidate for one in models), refused), trials=tuple(trials),
        cases=(Case(id=every, text=every, expected=every),), checks=(every,), judge=every,
        skipped=(Skipped(line=1, why=every),), asked={every: every},
    )  # fmt: skip
