"""The Python client against the deployment that the environment names: what both must agree on.

Ends with an error at the first thing that is not as it should be.
"""

import datetime

import requests
import taskcluster
from taskcluster.exceptions import TaskclusterAuthFailure, TaskclusterRestFailure

SECRET = {"secret": {"user": "me"}, "expires": taskcluster.fromNowJSON("1 day")}


def options(**more):
    return {**taskcluster.optionsFromEnvironment(), "maxRetries": 0, **more}


def failure(call, *args, **kwargs):
    """The status and code of the error that a call must end with."""
    try:
        answer = call(*args, **kwargs)
    except (TaskclusterAuthFailure, TaskclusterRestFailure) as error:
        return error.status_code, error.body["code"]
    raise AssertionError(f"not refused: {answer}")


def of_auth(auth):
    """The scopes of the auth service that a client has, beside those that everybody has."""
    return [scope for scope in auth.currentScopes()["scopes"] if scope.startswith("auth:")]


def temporary(scopes, name=None):
    issuer = options()["credentials"]
    now = datetime.datetime.now(datetime.timezone.utc)
    return taskcluster.createTemporaryCredentials(
        issuer["clientId"],
        issuer["accessToken"],
        now - datetime.timedelta(minutes=5),
        now + datetime.timedelta(hours=1),
        scopes,
        name,
    )


def ping():
    anonymous = options(credentials={})
    assert taskcluster.Queue(anonymous).ping()["alive"] is True
    assert failure(taskcluster.Auth(anonymous).listClients) == (403, "InsufficientScopes")


def signed_calls_with_queries():
    auth = taskcluster.Auth(options())
    assert auth.currentScopes() == {"scopes": ["*"]}
    page = auth.listClients(query={"prefix": "static/taskcluster/roo", "limit": "1"})
    assert [client["clientId"] for client in page["clients"]] == ["static/taskcluster/root"]
    assert auth.listClients(query={"prefix": "a/b+c@d|e:f"}) == {"clients": []}


def a_wrong_token_is_refused():
    wrong = {**options()["credentials"], "accessToken": "wrong"}
    auth = taskcluster.Auth(options(credentials=wrong))
    assert failure(auth.currentScopes) == (401, "AuthenticationFailed")


def temporary_credentials():
    for name in [None, "static/taskcluster/root/temporary"]:
        credentials = temporary(["auth:current-scopes"], name)
        auth = taskcluster.Auth(options(credentials=credentials))
        assert of_auth(auth) == ["auth:current-scopes"]
        assert failure(auth.listClients) == (403, "InsufficientScopes")
    tampered = {**temporary(["auth:current-scopes"]), "accessToken": "wrong"}
    auth = taskcluster.Auth(options(credentials=tampered))
    assert failure(auth.currentScopes) == (401, "AuthenticationFailed")


def authorized_scopes():
    auth = taskcluster.Auth(options(authorizedScopes=["auth:current-scopes"]))
    assert of_auth(auth) == ["auth:current-scopes"]
    assert failure(auth.listClients) == (403, "InsufficientScopes")


def signed_urls():
    for credentials in [options()["credentials"], temporary(["auth:list-clients"])]:
        auth = taskcluster.Auth(options(credentials=credentials))
        url = auth.buildSignedUrl("listClients", query={"prefix": "static"})
        answer = requests.get(url)
        assert answer.status_code == 200, answer.text
        assert answer.json()["clients"][0]["clientId"] == "static/taskcluster/root"
        tampered = requests.get(url.replace("prefix=static", "prefix=s"))
        assert tampered.status_code == 401, tampered.text


def secrets_over_pages():
    secrets = taskcluster.Secrets(options())
    names = [f"python/{letter}" for letter in "abcde"]
    for name in names:
        secrets.set(name, SECRET)
    assert secrets.get("python/a")["secret"] == SECRET["secret"]
    pages = []
    secrets.list(query={"limit": "2"}, paginationHandler=pages.append)
    listed = [name for page in pages for name in page["secrets"] if name.startswith("python/")]
    assert listed == names and len(pages) >= 3, pages
    secrets.remove("python/a")
    assert failure(secrets.get, "python/a") == (404, "ResourceNotFound")


def payloads_must_fit():
    secrets = taskcluster.Secrets(options())
    wrong = {"secret": {}, "expires": "tomorrow"}
    assert failure(secrets.set, "python/x", wrong) == (400, "InputValidationError")


def a_task_from_creation_to_completion():
    queue = taskcluster.Queue(options())
    task_id = taskcluster.slugId()
    task = {
        "taskQueueId": "strangers/python",
        "created": taskcluster.fromNowJSON("0 seconds"),
        "deadline": taskcluster.fromNowJSON("1 hour"),
        "payload": {},
        "metadata": {
            "name": "python",
            "description": "a task",
            "owner": "owner@example.com",
            "source": "https://example.com",
        },
    }
    assert queue.createTask(task_id, task)["status"]["state"] == "pending"
    claim = {"workerGroup": "group", "workerId": "worker", "tasks": 1}
    [claimed] = queue.claimWork("strangers/python", claim)["tasks"]
    assert claimed["status"]["taskId"] == task_id
    assert claimed["task"]["metadata"]["name"] == "python"
    as_task = taskcluster.Queue(options(credentials=claimed["credentials"]))
    done = as_task.reportCompleted(task_id, str(claimed["runId"]))
    assert done["status"]["state"] == "completed"
    assert queue.status(task_id) == done
    assert queue.claimWork("strangers/none", claim)["tasks"] == []


for check in [
    ping,
    signed_calls_with_queries,
    a_wrong_token_is_refused,
    temporary_credentials,
    authorized_scopes,
    signed_urls,
    secrets_over_pages,
    payloads_must_fit,
    a_task_from_creation_to_completion,
]:
    check()
    print("ok:", check.__name__)
