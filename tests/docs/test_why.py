from __future__ import annotations

import re
from pathlib import Path

from faena.explain import Reason

PAGE = (Path(__file__).resolve().parents[2] / "docs/why-is-it-not-running.md").read_text()


def test_every_reason_is_documented_and_no_other():
    assert set(re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.M)) == {str(each) for each in Reason}
