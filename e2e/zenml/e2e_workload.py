"""Server plug-in: a real ZenML server runs triggered pipelines as local processes.

Loaded by the server through ZENML_SERVER_WORKLOAD_MANAGER_IMPLEMENTATION_SOURCE.
A stock server refuses to trigger runs on a local stack, so the patches below
make the local stack count as remote. Everything else is the stock server.

Environment:
    E2E_RUNNER_CONFIG   folder in which each run gets a ZENML_CONFIG_PATH and a log of its own
                        (two runs that start at once would spoil a common one)
    E2E_SLOW_TRIGGER    seconds to hold each trigger before its run is made (default 0)
    E2E_SLOW_ANSWER     seconds to hold each trigger after its run was made (default 0)
    E2E_SLOW_BUILD      seconds a run keeps its slot while "its image is built" (default 0)

Each hold prints one line to the server's log when it begins, so that a test can
end the server at exactly that moment.
"""

import os
import subprocess
import sys
import time

from zenml.artifact_stores.local_artifact_store import LocalArtifactStoreConfig
from zenml.orchestrators.local.local_orchestrator import LocalOrchestratorConfig

try:  # 0.90 and newer
    from zenml.zen_server.pipeline_execution import utils as execution
    from zenml.zen_server.pipeline_execution.workload_manager_interface import (
        WorkloadManagerInterface,
    )
except ImportError:  # up to 0.85
    from zenml.zen_server.template_execution import utils as execution
    from zenml.zen_server.template_execution.workload_manager_interface import (
        WorkloadManagerInterface,
    )

LocalOrchestratorConfig.is_local = property(lambda self: False)
LocalArtifactStoreConfig.is_local = property(lambda self: False)


def hold(name):
    """Sleeps for the seconds that the environment variable `name` asks for."""
    seconds = float(os.environ.get(name, "0"))
    if seconds > 0:
        print(f"e2e hold {name}", flush=True)
        time.sleep(seconds)


_create_placeholder_run = execution.create_placeholder_run


def _held_placeholder_run(*args, **kwargs):
    hold("E2E_SLOW_TRIGGER")
    run = _create_placeholder_run(*args, **kwargs)
    hold("E2E_SLOW_ANSWER")
    return run


execution.create_placeholder_run = _held_placeholder_run


class LocalProcessWorkloadManager(WorkloadManagerInterface):
    """Runs the runner entrypoint as a child process of the server."""

    def run(
        self,
        workload_id,
        image,
        command,
        arguments,
        environment=None,
        sync=True,
        timeout_in_seconds=0,
    ):
        home = os.path.join(os.environ["E2E_RUNNER_CONFIG"], str(workload_id))
        os.makedirs(home, exist_ok=True)
        passed_on = ("PATH", "PYTHONPATH", "HOME", "ZENML_LOCAL_STORES_PATH")
        env = {
            **(environment or {}),
            **{name: os.environ[name] for name in passed_on if name in os.environ},
            "ZENML_CONFIG_PATH": home,
            "ZENML_ANALYTICS_OPT_IN": "false",
        }
        with open(os.path.join(home, "run.log"), "ab") as log:
            subprocess.Popen(
                [sys.executable, *command[1:], *arguments],
                env=env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def build_and_push_image(self, *args, **kwargs):
        hold("E2E_SLOW_BUILD")
        return "local"

    def delete_workload(self, workload_id):
        pass

    def get_logs(self, workload_id):
        return ""

    def log(self, workload_id, message):
        pass
