"""The only place that touches the network and the only importer of httpx."""
