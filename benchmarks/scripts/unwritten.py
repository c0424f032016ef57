"""`llmctl …` whose jobs keep nothing: neither lines in the output nor states in the journal. What a
job loses by writing is the difference to one that does."""

from llmctl.__main__ import main
from llmctl.cli import batch_keeper

batch_keeper.Kept.keep = lambda *_: None  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
