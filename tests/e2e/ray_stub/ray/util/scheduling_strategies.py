from typing import Any


class NodeAffinitySchedulingStrategy:
    def __init__(self, **_how: Any) -> None:
        pass
