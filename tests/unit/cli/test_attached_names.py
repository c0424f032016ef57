"""What attached files are called in a request."""

import os

import pytest

from llmctl.cli.attached_names import names_of


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (("a/1/x.txt", "b/1/x.txt"), ["a/1/x.txt", "b/1/x.txt"]),
        (("a/1/x.txt", "b/2/x.txt"), ["1/x.txt", "2/x.txt"]),
        (("/home/ann/x.txt", "/home/ann/old/x.txt"), ["x.txt", "old/x.txt"]),
        (("/home/ann/x.txt", "old/x.txt"), ["x.txt", "old/x.txt"]),
        (("/x.txt", "/a/x.txt", "y.txt"), ["x.txt", "a/x.txt", "y.txt"]),
        (("x.txt", "./x.txt", "a/../x.txt"), ["x.txt", "x (2).txt", "x (3).txt"]),
        (("https://a.example/x.png", "https://b.example/x.png", "/home/ann/x.png"),
         ["x.png", "x (2).png", "x (3).png"]),
        (("https://a.example/1/x.png", "https://a.example/2/x.png"), ["1/x.png", "2/x.png"]),
        (("-", "input"), ["input", "input (2)"]),
        (('a/x".txt', "b/x'.txt"), ["x'.txt", "x' (2).txt"]),
    ],
)  # fmt: skip
def test_names_tell_apart_and_tell_no_more(
    given: tuple[str, ...], names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getcwd", lambda: "/home/ann")

    assert names_of(given) == names
