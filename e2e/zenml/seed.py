"""Fills a new ZenML server: a service account with a key, a project, a stack, a build, and for
each pipeline of e2e_pipelines.py a run template and, from 0.90 on, a named snapshot.

Writes e2e.json into the server's folder: api-key (open source only), version, project,
`<pipeline>-template` and `<pipeline>-snapshot` ids. Called by serve.py.
"""

import argparse
import json
import os
import pathlib
import platform
import types
import urllib.parse
import urllib.request

import control_plane


def call(url, token=None, form=None, body=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = None
    if form is not None:
        data = urllib.parse.urlencode(form).encode()
    elif body is not None:
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as answer:
        return json.load(answer)


def open_source_login(url):
    """A token of the administrator, and the key of a new service account."""
    token = call(f"{url}/api/v1/login", form={"username": "default", "password": "e2e"})["access_token"]
    account = call(
        f"{url}/api/v1/service_accounts", token, body={"name": "ci", "description": "", "active": True}
    )
    keys = f"{url}/api/v1/service_accounts/{account['id']}/api_keys"
    return token, call(keys, token, body={"name": "ci", "description": ""})["body"]["key"]


def pro_login(url, pro_api_url):
    """A token of the observer: an account may do everything with what it made, so "ci" has to make nothing here.

    Only from 0.92 on does a server take the organization's key itself.
    """
    key = control_plane.announcement(pro_api_url)["observer-key"]
    external = call(f"{pro_api_url}/auth/login", form={"password": key})["access_token"]
    return call(f"{url}/api/v1/login", external, form={"grant_type": "zenml-external"})["access_token"]


def has_projects():
    """Before 0.80 there are only workspaces, and all runs are in the default one."""
    import zenml

    return tuple(int(part) for part in zenml.__version__.split(".")[:2]) >= (0, 80)


def make_project(url, token, name):
    """Where the version has projects; gives the name of the one that is used."""
    if not has_projects():
        return "default"
    if name != "default":
        call(f"{url}/api/v1/projects", token, body={"name": name, "display_name": name, "description": ""})
    return name


def make_build(client):
    """A stack and a build that the server accepts as runnable; no image is made."""
    import zenml
    from zenml.enums import StackComponentType
    from zenml.models import PipelineBuildRequest
    from zenml.pipelines.build_utils import compute_stack_checksum

    # The default components have no owner, so on Pro every account may do everything with them.
    stack = client.create_stack(
        "e2e",
        {
            kind: client.create_stack_component("e2e", "local", component_type=kind, configuration={}).id
            for kind in (StackComponentType.ORCHESTRATOR, StackComponentType.ARTIFACT_STORE)
        },
    )
    client.activate_stack(stack.id)

    fields = PipelineBuildRequest.model_fields
    scope = {}
    for name in ("project", "workspace"):  # renamed in 0.82
        if name in fields:
            scope[name] = getattr(client, f"active_{name}").id
    if "user" in fields and fields["user"].is_required():
        scope["user"] = client.active_user.id
    return client.zen_store.create_build(
        PipelineBuildRequest(
            images={},
            is_local=False,
            contains_code=True,
            zenml_version=zenml.__version__,
            python_version=platform.python_version(),
            stack=stack.id,
            stack_checksum=compute_stack_checksum(stack=stack),
            **scope,
        )
    )


# The pipeline whose template and snapshot say a commit; its runs load the code from where all others do.
FROM_A_COMMIT = "typed"
COMMIT = "3f1c9a7b5d2e8f60a4b1c7d9e2f5a8b0c3d6e9f1"


def make_checkout(client):
    """What ZenML's client sees in a clean checkout of a repository that the server knows."""
    from zenml.models import CodeRepositoryRequest
    from zenml.utils import source_utils

    fields = CodeRepositoryRequest.model_fields
    scope = {name: getattr(client, f"active_{name}").id for name in ("project", "workspace") if name in fields}
    if "user" in fields and fields["user"].is_required():
        scope["user"] = client.active_user.id
    repository = client.zen_store.create_code_repository(
        CodeRepositoryRequest(
            name="pipelines",
            config={"owner": "acme", "repository": "pipelines"},
            source={
                "module": "zenml.integrations.github.code_repositories.github_code_repository",
                "attribute": "GitHubCodeRepository",
                "type": "internal",
            },
            **scope,
        )
    )
    return types.SimpleNamespace(
        code_repository=repository,
        current_commit=COMMIT,
        is_dirty=False,
        has_local_changes=False,
        root=str(pathlib.Path(source_utils.get_source_root()).resolve()),
    )


def make_template(client, pipeline, build):
    """The ids of the pipeline's template and, where the version has them, its snapshot."""
    name = pipeline.name
    pipeline.prepare()
    if hasattr(pipeline, "_create_snapshot"):
        snapshot = pipeline._create_snapshot(
            name=f"{name}-snapshot", build=build.id, skip_schedule_registration=True
        )
        template = client.create_run_template(name=f"{name}-template", snapshot_id=snapshot.id)
        return {f"{name}-snapshot": str(snapshot.id), f"{name}-template": str(template.id)}
    created = pipeline._create_deployment(build=build.id, skip_schedule_registration=True)
    deployment = created[0] if isinstance(created, tuple) else created
    template = client.create_run_template(name=f"{name}-template", deployment_id=deployment.id)
    return {f"{name}-template": str(template.id)}


def make_owned(client):
    """The artifacts and the model that runs write versions of; else they would be the account's whose run comes first."""
    from zenml.models import ArtifactRequest

    for name in ("rows", "accuracy"):
        client.zen_store.create_artifact(
            ArtifactRequest(name=name, has_custom_name=True, project=client.active_project.id)
        )
    client.create_model("classifier")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", type=pathlib.Path, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--project", required=True)
    parser.add_argument("--pro-api-url", help="where the control plane is, if the server runs in Pro's mode")
    options = parser.parse_args()

    if options.pro_api_url is None:
        token, key = open_source_login(options.url)
        credentials = {"ZENML_STORE_API_KEY": key}
        seeded = {"api-key": key}
    else:
        token = pro_login(options.url, options.pro_api_url)
        credentials = {"ZENML_STORE_API_TOKEN": token}
        seeded = {}
    seeded["project"] = make_project(options.url, token, options.project)
    os.environ.update(
        ZENML_CONFIG_PATH=str(options.dir / "client"),
        ZENML_LOCAL_STORES_PATH=str(options.dir / "artifacts"),
        ZENML_ANALYTICS_OPT_IN="false",
        ZENML_STORE_URL=options.url,
        **credentials,
    )
    import zenml
    from zenml.client import Client
    from zenml.utils import code_repository_utils

    client = Client()
    if has_projects():
        client.set_active_project(seeded["project"])
    # Only now: ZenML asks for the project as soon as the pipelines are read.
    import e2e_pipelines

    seeded["version"] = zenml.__version__
    if options.pro_api_url is not None:
        make_owned(client)
    build = make_build(client)
    checkout = make_checkout(client)
    for pipeline in e2e_pipelines.PIPELINES:
        here = checkout if pipeline.name == FROM_A_COMMIT else None
        code_repository_utils.find_active_code_repository = lambda *_, here=here: here
        seeded.update(make_template(client, pipeline, build))
    (options.dir / "e2e.json").write_text(json.dumps(seeded))


if __name__ == "__main__":
    main()
