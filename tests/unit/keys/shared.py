"""A keyring in memory, and a key made at run time."""

KEY = "sk-" + "".join("a7Kq2Zx9"[number % 8] for number in range(32))


class Ring:
    """What keyring's back ends have in common, as far as we use it."""

    priority = 5.0

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        self.kept[service, name] = value

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]
