"""The life of an agent process: it says when it is ill, and calls nobody on its own."""

import subprocess
import sys
from pathlib import Path

BUILD = """
import asyncio, json, socket, sys
from pathlib import Path
calls = []
def note(name, inner):
    def noted(*arguments, **named):
        calls.append(str(arguments[-1] if name == "connect" else arguments[0]))
        return inner(*arguments, **named)
    return noted
socket.getaddrinfo = note("getaddrinfo", socket.getaddrinfo)
socket.socket.connect = note("connect", socket.socket.connect)
from agents.net.agent import NetAgent, NetSettings
from agents.net.directory import CachedDirectory
from agents.net.replay import ReplayGuard
class Nobody:
    def find(self, agent):
        return None
home = Path(sys.argv[1])
agent = NetAgent(NetSettings("alone"), key=b"\\x01" * 32, directory=CachedDirectory(Nobody()),
                 replay=ReplayGuard(home / "seen.sqlite"))
"""


def run(home: Path, program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BUILD + program, str(home)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=Path(__file__).parents[2]
    )


def test_an_agent_calls_nobody_and_writes_nothing_beside_its_home(tmp_path: Path) -> None:
    program = """
import os, tempfile
os.chdir(tempfile.mkdtemp(dir=home))
async def soon():
    await asyncio.sleep(1.0)
    agent.stop()
    await asyncio.sleep(10)
agent.background("soon", soon)
code = agent.run()
print(json.dumps({"code": code, "calls": calls, "files": os.listdir(".")}))
"""
    result = run(tmp_path, program)

    assert result.stdout.strip().endswith('{"code": 0, "calls": [], "files": []}'), result.stdout + result.stderr


def test_an_agent_whose_vital_part_died_stops_and_says_so(tmp_path: Path) -> None:
    program = """
async def broken():
    await asyncio.sleep(0.2)
    raise RuntimeError("a bug")
agent.background("pump", broken)
sys.exit(agent.run())
"""
    result = run(tmp_path, program)

    assert result.returncode == 1
    assert "dead: pump" in result.stderr


def test_an_agent_whose_queue_died_stops(tmp_path: Path) -> None:
    program = """
async def kill():
    await asyncio.sleep(0.2)
    agent._message_queue_task.cancel()
    await asyncio.sleep(30)
agent.background("kill", kill)
sys.exit(agent.run())
"""
    assert run(tmp_path, program).returncode == 1


def test_strangers_that_connect_and_say_nothing_shut_nobody_out(tmp_path: Path) -> None:
    program = """
import urllib.request
import agents.net.server
agents.net.server.HEAD_S = 0.5
def health():
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{agent.port}/health", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code
async def crowd():
    silent = [await asyncio.open_connection("127.0.0.1", agent.port) for _ in range(140)]
    for _, writer in silent:
        writer.write(b"GET /health HTTP/1.1\\r\\nx-slow: ")
    await asyncio.sleep(0.1)
    crowded = await asyncio.to_thread(health)
    await asyncio.sleep(2.0)
    print(json.dumps([crowded, await asyncio.to_thread(health)]))
    agent.stop()
    await asyncio.sleep(30)
agent.background("crowd", crowd)
agent.run()
"""
    result = run(tmp_path, program)

    assert result.stdout.strip() == "[503, 200]", result.stdout + result.stderr
