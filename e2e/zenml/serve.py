"""Runs a real ZenML server (SQLite) on 127.0.0.1 until it is told to end.

    python3 -m venv .venv && .venv/bin/pip install "zenml[server]==0.98.0"
    .venv/bin/python serve.py --dir ./zenml-e2e --port 8237

A new folder is seeded (seed.py); a folder that has been seeded is served again
as it is, so a server can be killed and started again with its database and key.
When the server answers, one JSON line is printed: server-url, api-key, version,
mode (open-source or pro), project, pid (of the server itself), and the ids of what
was seeded.

--project NAME seeds in a new project of that name instead of "default" (ignored before
0.80, which has no projects). --pro, from 0.85.0 on, runs the server in ZenML Pro's mode:
accounts and permissions of the organization, no default project (the things are in "ml"
then). What stands in for Pro's control plane is control_plane.py, on the next port, in this
process; or, where it shall outlive this server, the one that --control-plane names. The
JSON then also has pro-api-url, workspace, client-id, client-secret and observer-key.

It runs in the foreground: Ctrl-C, SIGTERM, or the end of its input ends the server
and every pipeline that the server started. When the server is killed from
outside, this script ends too and leaves its pipelines alone, as a crash would.

ZENML_SERVER_* variables are passed on and win (ZENML_SERVER_REQUEST_TIMEOUT=2,
ZENML_SERVER_RATE_LIMIT_ENABLED=true, ZENML_SERVER_MAX_CONCURRENT_SNAPSHOT_RUNS=8,
ZENML_SERVER_JWT_SECRET_KEY=…: without that one, tokens die with the server); E2E_SLOW_* are
described in e2e_workload.py. Not for Windows: it ends process groups.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import control_plane
import template

HERE = pathlib.Path(__file__).resolve().parent
START_SECONDS = 120
STOP_SECONDS = 5


def server_environment(directory, port, plane):
    settings = {
        "ZENML_SERVER_DEPLOYMENT_TYPE": "other",
        "ZENML_SERVER_AUTH_SCHEME": "OAUTH2_PASSWORD_BEARER",
        "ZENML_SERVER_AUTO_ACTIVATE": "1",
        "ZENML_SERVER_ALLOW_LOCAL_FILE_ACCESS": "true",
        "ZENML_SERVER_SERVER_URL": f"http://127.0.0.1:{port}",
        "ZENML_SERVER_WORKLOAD_MANAGER_IMPLEMENTATION_SOURCE": "e2e_workload.LocalProcessWorkloadManager",
    }
    if plane is not None:
        settings.update(control_plane.server_environment(plane))
    settings.update({name: value for name, value in os.environ.items() if name.startswith("ZENML_SERVER_")})
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("ZENML_")},
        **settings,
        "ZENML_CONFIG_PATH": str(directory / "server"),
        "ZENML_LOCAL_STORES_PATH": str(directory / "artifacts"),
        "ZENML_STORE_TYPE": "sql",
        "ZENML_STORE_URL": f"sqlite:///{directory}/zenml.db",
        "ZENML_ANALYTICS_OPT_IN": "false",
        "ZENML_DEFAULT_USER_NAME": "default",
        "ZENML_DEFAULT_USER_PASSWORD": "e2e",
        "PYTHONPATH": str(HERE),
        "E2E_RUNNER_CONFIG": str(directory / "runs"),
    }


def start(directory, port, plane):
    """Starts the server as the leader of its own process group and waits until it answers."""
    with open(directory / "server.log", "ab") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "zenml.zen_server.zen_server_api:app"]
            + ["--host", "127.0.0.1", "--port", str(port)],
            env=server_environment(directory, port, plane),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=directory,
            start_new_session=True,
        )
    try:
        wait_until_healthy(server, directory, port)
    except BaseException:
        stop(server)
        raise
    return server


def wait_until_healthy(server, directory, port):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            sys.exit(f"the server ended with {server.returncode}; see {directory}/server.log")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"the server did not answer in {START_SECONDS} s; see {directory}/server.log")


def stop(server):
    """Ends the server and every pipeline it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, number)
        except ProcessLookupError:
            return
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def end_with_parent(server):
    """Ends the server when the input ends, which it does when the parent dies, however it dies."""

    def wait_for_end_of_input():
        while os.read(sys.stdin.fileno(), 1024):
            pass
        stop(server)

    if not sys.stdin.isatty():
        threading.Thread(target=wait_for_end_of_input, daemon=True).start()


def seed(directory, url, plane, project, server):
    """Runs seed.py, which writes e2e.json; exits if it fails."""
    arguments = ["--dir", str(directory), "--url", url, "--project", project]
    if plane is not None:
        arguments += ["--pro-api-url", plane]
    process = subprocess.Popen(
        [sys.executable, str(HERE / "seed.py"), *arguments], stdin=subprocess.DEVNULL, stdout=sys.stderr
    )
    try:
        while process.poll() is None and server.poll() is None:
            time.sleep(0.1)
    finally:
        process.kill()
    if process.wait() != 0:
        sys.exit(f"seed.py ended with {process.returncode}; see {directory}/server.log")


def announcement(directory, url, plane):
    """What the folder holds, and how to get in."""
    return {
        "server-url": url,
        "mode": "open-source" if plane is None else "pro",
        **json.loads((directory / "e2e.json").read_text()),
        **({} if plane is None else control_plane.announcement(plane)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", type=pathlib.Path, required=True, help="folder of the database, logs and artifacts")
    parser.add_argument("--port", type=int, default=8237)
    parser.add_argument("--pro", action="store_true", help="run in ZenML Pro's mode")
    parser.add_argument("--control-plane", metavar="URL", help="the one to use for --pro; default: one of its own")
    parser.add_argument("--project", help="seed in a new project of this name")
    parser.add_argument("--template", type=pathlib.Path, help="a seeded folder to copy; made by the first server")
    options = parser.parse_args()
    directory = options.dir.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    if options.template and options.template.exists() and not (directory / "e2e.json").exists():
        template.use(options.template, directory)
    url = f"http://127.0.0.1:{options.port}"
    plane = options.control_plane
    if options.pro and plane is None:
        plane = control_plane.start(options.port + 1, url)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    server = start(directory, options.port, plane)
    try:
        end_with_parent(server)
        if not (directory / "e2e.json").exists():
            seed(directory, url, plane, options.project or ("ml" if plane else "default"), server)
            if options.template:
                template.save(directory, options.template)
        print(json.dumps({**announcement(directory, url, plane), "pid": server.pid}), flush=True)
        server.wait()
    except BaseException:
        stop(server)
        raise


if __name__ == "__main__":
    main()
