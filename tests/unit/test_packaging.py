"""The wheel and the sdist: what is inside, and that an installed or zipped llmctl finds it."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parent.parent.parent
DATA = ("providers", "config")
# Prints what ships: the names of all cards and of all files of config/, one a line.
LISTING = """
import sys
from llmctl import resources
import llmctl

def walk(folder, before):
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from walk(entry, f"{before}{entry.name}/")
        else:
            entry.read_bytes()
            yield f"{before}{entry.name}"

print(llmctl.__file__)
print(*sorted(walk(resources.providers(), "providers/")), sep="\\n")
print(*sorted(walk(resources.config(), "config/")), sep="\\n")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dist")


@pytest.fixture(scope="module")
def wheel(folder: Path) -> Path:
    return Path(next(WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])))


@pytest.fixture(scope="module")
def sdist(folder: Path) -> Path:
    return Path(next(SdistBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])))


# What translators work on; a program reads what is compiled of it.
SOURCES = (".po", ".pot")


def installed() -> list[str]:
    """Of these what a wheel has."""
    return [name for name in shipped() if not name.endswith(SOURCES)]


def shipped() -> list[str]:
    """Cards, and files of config/, as they stand in the checkout."""
    return [
        path.relative_to(ROOT).as_posix()
        for name in DATA
        for path in sorted((ROOT / name).rglob("*"))
        if path.is_file()
    ]


def inside(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def listing(path: Path, elsewhere: Path) -> list[str]:
    """What an llmctl at `path` (a folder or a zip) finds, started far from any checkout."""
    done = subprocess.run(
        [sys.executable, "-c", LISTING],
        cwd=elsewhere,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    where, *names = done.stdout.split()
    assert where.startswith(str(path))
    return names


def test_the_wheel_brings_one_top_level_name(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in inside(wheel)}

    assert {"llmctl"} == {name for name in tops if not name.endswith(".dist-info")}


def test_the_wheel_has_every_card_and_every_file_of_config(wheel: Path) -> None:
    assert "providers/openai.toml" in shipped()

    assert {f"llmctl/_{name}" for name in installed()} == {
        name for name in inside(wheel) if name.startswith(("llmctl/_providers/", "llmctl/_config/"))
    }


def test_the_wheel_has_every_module(wheel: Path) -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "llmctl").rglob("*.py")}

    assert modules == {name for name in inside(wheel) if name.endswith(".py")}


def test_the_wheel_has_style_and_script_of_reports(wheel: Path) -> None:
    report = "llmctl/output/report/"

    assert {f"{report}report.css", f"{report}report.js"} == {
        name for name in inside(wheel) if name.startswith(report) and not name.endswith(".py")
    }


def test_a_report_is_written_from_a_zipped_wheel(wheel: Path, tmp_path: Path) -> None:
    program = "from llmctl.output.report.page import document; print(document('x'))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "prefers-color-scheme" in done.stdout


def test_the_wheel_names_our_distribution_and_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        info = next(name for name in names if name.endswith(".dist-info/entry_points.txt"))
        commands = archive.read(info).decode()

    assert wheel.name.startswith("llmctl_cli-")
    assert "llmctl = llmctl.__main__:main" in commands
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_data_folders_hold_no_code() -> None:
    assert [name for name in shipped() if name.endswith((".py", ".pyi", ".so", ".sh"))] == []


def test_the_sdist_has_tests_and_top_level_files(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "pyproject.toml",
        "tests/__main__.py",
        "tests/unit/test_packaging.py",
        "docs/install.md",
        "benchmarks/__main__.py",
        *shipped(),
    } <= names


def test_a_wheel_made_from_the_sdist_is_the_same(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    source = tmp_path / sdist.name.removesuffix(".tar.gz")
    again = next(WheelBuilder(str(source)).build(directory=str(tmp_path), versions=["standard"]))

    assert inside(wheel) == inside(Path(again))


def test_an_installed_wheel_reads_its_data(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--no-index", "--no-compile", "--target", str(target), str(wheel)),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )

    assert sorted(installed()) == sorted(listing(target, tmp_path))


def test_a_zipped_wheel_reads_its_data(wheel: Path, tmp_path: Path) -> None:
    assert sorted(installed()) == sorted(listing(wheel, tmp_path))
