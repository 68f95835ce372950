// Arguments and options of the wrong type.
use taskcluster::{Queue, WorkerManager};

fn f(queue: Queue, manager: WorkerManager) {
    let _ = queue.get_artifact("T", "public/log", 0);
    let _ = queue.list_task_group("G").limit("ten");
    let _ = queue.list_workers("p", "w").quarantined("yes");
    let _ = manager.list_worker_pools().limit(1.5);
    let run: String = "0".to_owned();
    let _ = queue.list_artifacts("T", &run);
}

fn main() {}
