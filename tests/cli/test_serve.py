"""``serve`` announces its endpoint, answers, and stops on Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress
from pathlib import Path

from tests.cli.conftest import ENVIRONMENT, command, run


def test_serve_answers_until_interrupted(workspace: Path) -> None:
    args = command("serve", workspace, "--port", "0", "--json", "--timeout", "20")
    with subprocess.Popen(args, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        announced = ""
        for line in process.stdout:
            announced += line
            if line.startswith("}"):
                break
        endpoint = json.loads(announced)["endpoint"]
        query = urllib.parse.urlencode({"query": "ASK { ?s fg:eats ?o }"})
        request = urllib.request.Request(f"{endpoint}?{query}", headers={"Accept": "application/sparql-results+json"})
        assert json.loads(_fetch(request, process))["boolean"] is True
        taken = run("serve", workspace, "--port", str(urllib.parse.urlsplit(endpoint).port))
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 0, stderr
    assert taken.exit_code == 1
    assert "Address already in use" in taken.stderr


def _fetch(request: urllib.request.Request, process: subprocess.Popen[str]) -> bytes:
    """Ask until the server listens."""
    while process.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return bytes(response.read())
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    raise AssertionError("the server ended")
