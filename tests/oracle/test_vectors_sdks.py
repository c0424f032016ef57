"""The official packages of GigaChat and Hugging Face against the simulator's vectors: what they
accept proves the simulator, and what they send is what we send."""

from typing import Any

import gigachat
import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.inference._providers import get_provider_helper

from llmctl.dialects import DIALECTS
from llmctl.types import Embed, Quirks
from tests.e2e.harness import GIGACHAT_KEY
from tests.simulator import Simulator
from tests.simulator.vectors import ENDPOINT, GIGACHAT, HF_SIZE, PIPELINE, vector

TOKEN = "hf_" + "y" * 34
TEXTS = ["Небо синее", "and two", "один"]
TGI = Quirks(settings={"text_generation": "tgi"})
ROUTER = Quirks(settings={"text_generation": "router"})


def test_gigachats_package_takes_what_the_simulator_says(sim: Simulator) -> None:
    with gigachat.GigaChat(
        base_url=f"{sim.url}/gigachat/v1",
        auth_url=f"{sim.url}/gigachat/oauth",
        credentials=GIGACHAT_KEY,
        scope="GIGACHAT_API_PERS",
    ) as client:
        answer = client.embeddings(TEXTS, model="mock")

    assert [one.embedding for one in answer.data] == [vector(one, 1024) for one in TEXTS]
    assert [one.usage.prompt_tokens for one in answer.data] == [2, 2, 1]
    assert [one.index for one in answer.data] == [0, 1, 2]
    [theirs] = [one for one in sim.requests if one.path == GIGACHAT]
    ours = DIALECTS["gigachat"]().encode(Embed("mock", tuple(TEXTS)), Quirks())
    assert ours.body == theirs.json


# huggingface_hub takes lists of texts at run time, though its types say one.


@pytest.mark.parametrize("texts", [TEXTS, TEXTS[:1]])
@pytest.mark.parametrize("fields", [{}, {"normalize": True, "truncate": False}])
def test_huggingfaces_package_at_an_endpoint(
    sim: Simulator, texts: list[str], fields: dict[str, Any]
) -> None:
    client: Any = InferenceClient(model=f"{sim.url}{ENDPOINT}", api_key=TOKEN)
    with client:
        answer = client.feature_extraction(texts, prompt_name="query", **fields)

    assert answer.tolist() == [vector(one, HF_SIZE) for one in texts]
    call = Embed("mock", tuple(texts), options={**fields, "prompt_name": "query"})
    assert DIALECTS["huggingface"]().encode(call, TGI).body == sim.calls[-1].json


def test_the_path_at_hf_inference_is_that_of_the_package() -> None:
    """The package asks the Hub about a model first, which there is none of here."""
    task: Any = get_provider_helper("hf-inference", task="feature-extraction", model=None)
    path = task._prepare_url(TOKEN, "org/m").removeprefix("https://router.huggingface.co")
    ours = DIALECTS["huggingface"]().encode(Embed("org/m", ("a",)), ROUTER)

    assert ours.path == f"..{path}"
    assert path.endswith(PIPELINE)
