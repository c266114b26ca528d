"""Data that a page's script reads, written so that no text in it can leave its place."""

from __future__ import annotations

import json


def script_json(value: object) -> str:
    """JSON that can stand inside a script element whatever text it holds."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
