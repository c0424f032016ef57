"""What one writes in ten lines when there is no llmctl: the yardstick."""

import json
import sys

import httpx

body = {"model": "mock", "stream": True, "messages": [{"role": "user", "content": "say hi"}]}
headers = {"Authorization": "Bearer sk-mock"}
url = sys.argv[1] + "/chat/completions"
with httpx.stream("POST", url, json=body, headers=headers) as response:
    for line in response.iter_lines():
        if line.startswith("data: {"):
            for choice in json.loads(line[6:])["choices"]:
                print(choice["delta"].get("content") or "", end="", flush=True)
print()
