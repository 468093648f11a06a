"""A stand-in for ZenML Pro's control plane, just enough that a real ZenML server runs in Pro's mode against it.

    python3 control_plane.py --port 8238 --server-url http://127.0.0.1:8237

It knows one organization with one workspace and two service accounts, and answers what the server asks it
(zenml/zen_server: auth.py, cloud_utils.py, rbac/zenml_cloud_rbac.py, feature_gate/zenml_cloud_feature_gate.py) and
what a client asks it (zenml/login/pro: /auth/login, /workspaces, /users/me). The shapes are those that this code
reads; nothing here was seen on the real service.

When it answers, one JSON line is printed: its address and the credentials. It runs until Ctrl-C, SIGTERM, or the end
of its input. It keeps its tokens while the server restarts.

POST /_test with a JSON object changes what it answers next, for tests; what is not named stays as it is:
    {"deny": {"update": ["pipeline_run"]}}    permissions that are refused, by action and resource type
    {"allowed": {"pipeline": ["<uuid>"]}}     only these ids of a resource type may be read
    {"broken": {"authorize": [200, 503, 0]}}  statuses of the next answers to a route; 200: as usual, 0: hang up.
                                              Routes: authorize (/users/authorize_server), login (/auth/login),
                                              permissions (/rbac/…), usage (/usage-event),
                                              workspaces (/workspaces and /tenants)
    {"entitlement": 402}                      the answer to /organizations/<id>/entitlement/<feature>
    {"workspace": {"status": "failed"}}       merged into the workspace
    {"tenants": true}                         /tenants instead of /workspaces, as before ZenML 0.80
POST /_reset ends all that and forgets what was seen.
GET /_seen answers {"logins": {"ci": 1, …}, "authorized": {"ci": 1, …}, "requests": ["GET /workspaces?…", …]}: logins
that succeeded by account, tokens that the server asked about and got an answer to, and every request.

The account "observer" is for the tests' own look at the server: nothing of /_test touches it, and it is not counted
in "requests".
"""

import argparse
import collections
import http.server
import json
import os
import signal
import sys
import threading
import urllib.parse
import uuid

ORGANIZATION = "0a0a0a0a-0000-4000-8000-000000000001"
WORKSPACE = "0b0b0b0b-0000-4000-8000-000000000002"
ACCOUNTS = {
    "ci": "0c0c0c0c-0000-4000-8000-000000000003",
    "observer": "0d0d0d0d-0000-4000-8000-000000000004",
}
KEYS = {
    "ZENPROKEY_e2e0123456789abcdef0123456789abcdef": "ci",
    "ZENPROKEY_observer0123456789abcdef0123456789": "observer",
}
SERVER_SECRET = "e2e-server-secret"
CLIENT_ID, CLIENT_SECRET = "e2e-client", "e2e-client-secret-0123456789"
UNTOUCHED = {"deny": {}, "allowed": {}, "broken": {}, "entitlement": 200, "workspace": {}, "tenants": False}


class ControlPlane(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port, server_url):
        self.server_url = server_url
        self.tokens = {}
        self.lock = threading.Lock()
        self.reset()
        super().__init__(("127.0.0.1", port), Handler)

    def reset(self):
        self.test = json.loads(json.dumps(UNTOUCHED))
        self.logins = collections.Counter()
        self.authorized = collections.Counter()
        self.requests = []

    def workspace(self):
        return {
            "id": WORKSPACE,
            "name": "e2e",
            "display_name": "e2e",
            "status": "available",
            "desired_state": "available",
            "state_reason": "",
            "organization": {"id": ORGANIZATION, "name": "acme"},
            "zenml_service": {"configuration": {}, "status": {"server_url": self.server_url, "version": ""}},
            **self.test["workspace"],
        }

    def next_status(self, route):
        """What the test wants of the next answer to a route: 200 for the usual one, 0 to hang up."""
        with self.lock:
            statuses = self.test["broken"].get(route, [])
            return statuses.pop(0) if statuses else 200

    def may(self, user_id, action, resource):
        """Whether the account has a permission on `<project>:<type>/<id>`, each part but the type optional."""
        kind, _, resource_id = resource.rpartition(":")[2].partition("/")
        if user_id == ACCOUNTS["observer"]:
            return True
        ids = self.test["allowed"].get(kind)
        if action == "read" and resource_id and ids is not None and resource_id not in ids:
            return False
        return kind not in self.test["deny"].get(action, [])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=None):
        data = json.dumps({} if body is None else body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def breaks(self, route):
        """Whether a test wants this answer to fail; then it has been given."""
        status = self.server.next_status(route)
        if status == 0:
            self.close_connection = True
            self.connection.close()
        elif status != 200:
            self.answer(status, {"detail": "broken for a test"})
        return status != 200

    def bearer(self):
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def who(self):
        """The holder of the bearer token: "server", an account, or nobody."""
        return KEYS.get(self.bearer()) or self.server.tokens.get(self.bearer())

    def route(self):
        plane, url = self.server, urllib.parse.urlparse(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if length else b""
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path.startswith("/_"):
            return self.for_tests(url.path, raw)
        form = dict(urllib.parse.parse_qsl(raw.decode())) if url.path == "/auth/login" else {}
        observed = "observer" in (self.who(), KEYS.get(form.get("password")))
        if not observed and query.get("user_id") != ACCOUNTS["observer"]:
            plane.requests.append(f"{self.command} {self.path}")
        if url.path == "/auth/login":
            return self.login(form)
        if url.path == "/users/authorize_server":
            return self.authorize()
        who = self.who()
        if who is None:
            return self.answer(401, {"detail": "Not authenticated"})
        if url.path.startswith("/rbac/"):
            return self.permissions(url.path, query, raw)
        if url.path.startswith(("/workspaces", "/tenants")):
            return self.workspaces(url.path, query)
        if url.path in ("/workspace_status", "/tenant_status", "/usage-event"):
            return None if url.path == "/usage-event" and self.breaks("usage") else self.answer(200)
        if "/entitlement/" in url.path:
            status = plane.test["entitlement"]
            return self.answer(status, {} if status == 200 else {"detail": "limit reached"})
        if url.path == "/users/me":
            return self.answer(200, {"id": ACCOUNTS.get(who), "username": who, "name": who})
        if url.path == "/organizations":
            return self.answer(200, [{"id": ORGANIZATION, "name": "acme"}])
        return self.answer(404, {"detail": "Not found"})

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = route

    def for_tests(self, path, raw):
        plane = self.server
        if path == "/_test":
            plane.test.update(json.loads(raw))
            return self.answer(200, plane.test)
        if path == "/_reset":
            plane.reset()
            return self.answer(200)
        seen = {"logins": plane.logins, "authorized": plane.authorized, "requests": plane.requests}
        return self.answer(200, seen if path == "/_seen" else {})

    def login(self, form):
        if form.get("grant_type") == "client_credentials" and form.get("client_secret") == SERVER_SECRET:
            who = "server"
        elif form.get("password") in KEYS or self.bearer() in KEYS:
            who = KEYS.get(form.get("password")) or KEYS[self.bearer()]
        elif (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET):
            who = "ci"
        else:
            return self.answer(401, {"detail": "Invalid credentials"})
        if who == "ci" and self.breaks("login"):
            return None
        token = f"pro-{uuid.uuid4().hex}"
        self.server.tokens[token] = who
        self.server.logins[who] += 1
        return self.answer(200, {"access_token": token, "token_type": "bearer", "expires_in": 3600})

    def authorize(self):
        who = self.who()
        if who not in ACCOUNTS:
            return self.answer(401, {"detail": "Not authenticated"})
        if who == "ci" and self.breaks("authorize"):
            return None
        self.server.authorized[who] += 1
        account = {"id": ACCOUNTS[who], "username": who, "name": who, "email": f"{who}@example.com"}
        return self.answer(200, {**account, "is_service_account": True})

    def permissions(self, path, query, raw):
        plane, user_id, action = self.server, query.get("user_id"), query.get("action")
        if user_id != ACCOUNTS["observer"] and self.breaks("permissions"):
            return None
        if path == "/rbac/check_permissions":
            return self.answer(200, {resource: plane.may(user_id, action, resource) for resource in json.loads(raw)})
        if path == "/rbac/allowed_resource_ids":
            kind = query["resource"].rpartition(":")[2]
            ids = None if user_id == ACCOUNTS["observer"] else plane.test["allowed"].get(kind)
            full = ids is None and plane.may(user_id, action, query["resource"])
            return self.answer(200, {"full_access": full, "ids": ids or []})
        return self.answer(200)

    def workspaces(self, path, query):
        plane = self.server
        if self.breaks("workspaces"):
            return None
        noun = "tenant" if plane.test["tenants"] else "workspace"
        workspace = plane.workspace()
        if path == f"/{noun}s":
            found = query.get(f"{noun}_name") in (None, workspace["name"]) and int(query.get("offset", 0)) == 0
            return self.answer(200, [workspace] if found else [])
        if path == f"/{noun}s/{WORKSPACE}":
            return self.answer(200, workspace)
        return self.answer(404, {"detail": "Not Found"})


def announcement(url):
    """What a client needs to know of the control plane at `url`, by the names of the action's inputs."""
    keys = {account: key for key, account in KEYS.items()}
    return {
        "pro-api-url": url,
        "control-plane-url": url,
        "workspace": "e2e",
        "api-key": keys["ci"],
        "observer-key": keys["observer"],
        "client-id": CLIENT_ID,
        "client-secret": CLIENT_SECRET,
    }


def server_environment(url):
    """What a real ZenML server needs in its environment to run in Pro's mode against the control plane at `url`."""
    return {
        "ZENML_SERVER_DEPLOYMENT_TYPE": "cloud",
        "ZENML_SERVER_PRO_API_URL": url,
        "ZENML_SERVER_PRO_DASHBOARD_URL": url,
        "ZENML_SERVER_PRO_OAUTH2_CLIENT_SECRET": SERVER_SECRET,
        "ZENML_SERVER_PRO_OAUTH2_AUDIENCE": "e2e",
        "ZENML_SERVER_PRO_ORGANIZATION_ID": ORGANIZATION,
        "ZENML_SERVER_PRO_ORGANIZATION_NAME": "acme",
        "ZENML_SERVER_PRO_WORKSPACE_ID": WORKSPACE,
        "ZENML_SERVER_PRO_WORKSPACE_NAME": "e2e",
        # Older servers say tenant.
        "ZENML_SERVER_PRO_TENANT_ID": WORKSPACE,
        "ZENML_SERVER_PRO_TENANT_NAME": "e2e",
    }


def start(port, server_url):
    """Serves in threads of this process, with which it ends. Gives its address."""
    plane = ControlPlane(port, server_url)
    threading.Thread(target=plane.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{port}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8238)
    parser.add_argument("--server-url", required=True, help="where the workspace's server is")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(json.dumps(announcement(start(options.port, options.server_url))), flush=True)
    while os.read(sys.stdin.fileno(), 1024):
        pass


if __name__ == "__main__":
    main()
