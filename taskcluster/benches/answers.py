"""What a queue answers, for the benchmarks."""

import json


def page_of_tasks():
    """A page of a task group as the queue sends it, of 1,000 tasks."""
    slug = "fN1SbArXTPSVFNUvaOl%03d"
    date = "2026-01-02T03:04:05.%03dZ"
    tasks = []
    for n in range(1000):
        run = {"runId": 0, "state": "completed", "reasonCreated": "scheduled", "reasonResolved": "completed",
               "workerGroup": "us-east1-b", "workerId": f"7342901847612{n:03}", "takenUntil": date % n,
               "scheduled": date % n, "started": date % n, "resolved": date % n}
        status = {"taskId": slug % n, "provisionerId": "gecko-t", "workerType": "t-linux-large", "schedulerId":
                  "gecko-level-3", "taskQueueId": "gecko-t/t-linux-large", "taskGroupId": slug % 0,
                  "projectId": "gecko", "deadline": date % n, "expires": date % n, "retriesLeft": 5,
                  "state": "completed", "priority": "low", "runs": [run]}
        task = {"provisionerId": "gecko-t", "workerType": "t-linux-large", "taskQueueId": "gecko-t/t-linux-large",
                "schedulerId": "gecko-level-3", "projectId": "gecko", "taskGroupId": slug % 0,
                "dependencies": [slug % 7], "requires": "all-completed", "routes": ["tc-treeherder.v2.autoland"],
                "priority": "low", "retries": 5, "created": date % n, "deadline": date % n, "expires": date % n,
                "scopes": ["generic-worker:cache:level-3"], "tags": {"kind": "test", "os": "linux"},
                "metadata": {"name": f"test-linux1804-64/opt-{n}", "owner": "someone@example.com",
                             "description": "A test suite", "source": "https://example.com/taskcluster/kinds/test"},
                "payload": {"maxRunTime": 5400, "command": [["./run-task", "--", "make", "check"]],
                            "env": {"MOZ_NODE": "1", "SCCACHE": "0"}},
                "extra": {"suite": "mochitest", "chunks": {"current": n, "total": 1000}}}
        tasks.append({"status": status, "task": task})
    return {"taskGroupId": slug % 0, "schedulerId": "gecko-level-3", "expires": date % 0, "tasks": tasks}


def task_status(n):
    """The status of a task as the queue sends it: 0.9 KiB with two runs."""
    slug, date = "fN1SbArXTPSVFNUvaOl%03d", "2026-01-02T03:04:05.%03dZ"
    run = {"runId": 0, "state": "exception", "reasonCreated": "scheduled", "reasonResolved": "intermittent-task",
           "workerGroup": "us-east1-b", "workerId": f"7342901847612{n:03}", "takenUntil": date % n,
           "scheduled": date % n, "started": date % n, "resolved": date % n}
    again = {"runId": 1, "state": "running", "reasonCreated": "task-retry", "workerGroup": "us-east1-b",
             "workerId": f"7342901847612{n:03}", "takenUntil": date % n, "scheduled": date % n, "started": date % n}
    return {"taskId": slug % n, "provisionerId": "gecko-t", "workerType": "t-linux-large", "schedulerId":
            "gecko-level-3", "taskQueueId": "gecko-t/t-linux-large", "taskGroupId": slug % 0,
            "projectId": "gecko", "deadline": date % n, "expires": date % n, "retriesLeft": 4,
            "state": "running", "priority": "low", "runs": [run, again]}


def write(folder):
    """Both as files in a folder, which the server answers with."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, answer in (("status", {"status": task_status(1)}), ("page", page_of_tasks())):
        (folder / f"{name}.json").write_text(json.dumps(answer, separators=(",", ":")))
