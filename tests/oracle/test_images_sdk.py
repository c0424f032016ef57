"""Pictures by the official packages against the simulator: what they take shows that it draws as
their providers do, and what they send for the same wish is what we send."""

from base64 import b64decode
from typing import Any

import gigachat
import openai
import pytest
from google import genai
from google.genai import types
from huggingface_hub import InferenceClient
from huggingface_hub.hf_api import InferenceProviderMapping
from huggingface_hub.inference._providers.nscale import NscaleTextToImageTask
from huggingface_hub.inference._providers.together import TogetherTextToImageTask

from llmctl.dialects import DIALECTS
from llmctl.dialects.pictures import dimensions, kind_of
from llmctl.types import Image, Quirks
from tests.e2e.harness import GIGACHAT_KEY, KEY
from tests.simulator import Simulator
from tests.simulator.images import BESIDE, PICTURE_TOKENS, PROMPT_TOKENS, REFUSAL

FOX = "a red fox"
HF = "/hosts/huggingface"


def ours(dialect: str, call: Image, **quirks: Any) -> Any:
    return DIALECTS[dialect]().encode(call, Quirks(**quirks)).body


# ---- OpenAI


def client_of(sim: Simulator) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=sim.openai_url, api_key=KEY, max_retries=0, _strict_response_validation=True
    )


def test_openai_draws_two(sim: Simulator) -> None:
    with client_of(sim) as client:
        answer = client.images.generate(
            model="mock", prompt=FOX, n=2, size="1536x1024", output_format="webp", quality="high"
        )

    assert answer.data is not None
    pictures = [b64decode(one.b64_json or "") for one in answer.data]
    assert [(kind_of(one), dimensions(one)) for one in pictures] == [
        ("image/webp", (1536, 1024)),
        ("image/webp", (1537, 1024)),
    ]
    assert answer.usage is not None
    assert answer.usage.output_tokens == 2 * PICTURE_TOKENS
    assert answer.usage.input_tokens_details.text_tokens == PROMPT_TOKENS
    call = Image("mock", FOX, count=2, size="1536x1024", media_type="image/webp",
                 options={"quality": "high"})  # fmt: skip
    assert sim.calls[-1].path == "/v1/images/generations"
    assert sim.calls[-1].json == ours("openai_chat", call, image_reply="")


def test_openai_moderates(sim: Simulator) -> None:
    with client_of(sim) as client, pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(model="mock-fault-image-filtered", prompt=FOX)

    assert refused.value.code == "moderation_blocked"


# ---- Gemini


def drawn_by_gemini(sim: Simulator, model: str) -> types.GenerateContentResponse:
    options = types.HttpOptions(base_url=sim.url, api_version="v1beta")
    with genai.Client(api_key=KEY, vertexai=False, http_options=options) as client:
        return client.models.generate_content(
            model=model,
            contents=FOX,
            config=types.GenerateContentConfig(
                response_modalities=["TEXT", "IMAGE"],
                image_config=types.ImageConfig(aspect_ratio="16:9", image_size="2K"),
                seed=7,
                automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            ),
        )


def test_gemini_draws_and_says_so(sim: Simulator) -> None:
    answer = drawn_by_gemini(sim, "mock")

    assert answer.parts
    said, drawn = answer.parts
    assert said.text == BESIDE
    assert drawn.inline_data is not None
    assert kind_of(drawn.inline_data.data or b"") == "image/png"
    assert answer.usage_metadata is not None
    kinds = answer.usage_metadata.candidates_tokens_details or ()
    assert [(one.modality, one.token_count) for one in kinds] == [
        (types.MediaModality.IMAGE, PICTURE_TOKENS)
    ]
    assert sim.calls[-1].json == ours("gemini", Image("mock", FOX, size="16:9 2K", seed=7))


def test_gemini_refuses(sim: Simulator) -> None:
    answer = drawn_by_gemini(sim, "mock-fault-image-filtered")

    assert answer.candidates
    assert answer.candidates[0].finish_reason is types.FinishReason.IMAGE_SAFETY
    assert not answer.candidates[0].content


# ---- GigaChat


def gigachat_of(sim: Simulator) -> gigachat.GigaChat:
    return gigachat.GigaChat(
        base_url=f"{sim.url}/gigachat/v1",
        auth_url=f"{sim.url}/gigachat/oauth",
        credentials=GIGACHAT_KEY,
        scope="GIGACHAT_API_PERS",
        model="mock",
    )


def test_gigachat_names_a_file_and_gives_it(sim: Simulator) -> None:
    wish = {"messages": [{"role": "user", "content": "Нарисуй лису"}], "function_call": "auto"}
    with gigachat_of(sim) as client:
        answer = client.chat(wish)
        content = answer.choices[0].message.content
        name = content.partition('src="')[2].partition('"')[0]
        image = client.get_image(name)

    assert content.endswith(BESIDE)
    assert dimensions(b64decode(image.content)) == (1024, 1024)
    chat, file = sim.requests[-2:]
    assert chat.json == ours("gigachat", Image("mock", "Нарисуй лису"))
    assert file.headers["accept"] == "application/jpg"


def test_gigachat_refuses_in_words(sim: Simulator) -> None:
    wish = {"messages": [{"role": "user", "content": FOX}], "function_call": "auto"}
    with gigachat_of(sim) as client:
        answer = client.chat({"model": "mock-fault-image-filtered", **wish})

    assert answer.choices[0].message.content == REFUSAL


# ---- Hugging Face


@pytest.fixture
def bytes_for_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package makes objects of another library of the bytes, which is not needed here."""
    monkeypatch.setattr("huggingface_hub.inference._client._bytes_to_image", bytes)


@pytest.mark.usefixtures("bytes_for_pictures")
def test_an_endpoint_draws(sim: Simulator) -> None:
    token = "hf_" + "y" * 34
    with InferenceClient(model=f"{sim.url}{HF}/", api_key=token) as client:
        made: Any = client.text_to_image(
            FOX, width=96, height=48, seed=7, guidance_scale=3.5, negative_prompt="rain"
        )

    assert (kind_of(made), dimensions(made)) == ("image/png", (96, 48))
    (request,) = sim.calls
    assert request.headers["accept"] == "image/png"
    options = {"guidance_scale": 3.5, "negative_prompt": "rain"}
    call = Image("m", FOX, size="96x48", seed=7, options=options)
    assert request.json == ours("huggingface", call)


@pytest.mark.parametrize(
    ("partner", "kind"),
    [("together", TogetherTextToImageTask), ("nscale", NscaleTextToImageTask)],
)
def test_partners_get_the_same(partner: str, kind: Any) -> None:
    task = kind()
    mapping: Any = InferenceProviderMapping
    there = mapping(
        provider=partner, providerId="org/flux", hf_model_id="org/flux", task="text-to-image",
        status="live",
    )  # fmt: skip
    parameters = {"width": 96, "height": 48, "seed": 7}
    call = Image(f"org/flux:{partner}", FOX, size="96x48", seed=7)
    quirks = Quirks(settings={"text_generation": "router"})

    http = DIALECTS["huggingface"]().encode(call, quirks)

    assert http.body == task._prepare_payload_as_dict(FOX, parameters, there)
    assert http.path == f"../{partner}{task._prepare_route('org/flux', 'hf_x')}"
