"""From a call to its events: resolve, send, retry, measure."""
