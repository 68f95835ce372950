//! The GitHub service: builds that a test has put in, what the service posts to GitHub, and what it makes of files.

mod builds;
mod events;
mod labels;
mod render;
mod repositories;
pub(crate) mod store;
mod yaml;

pub(crate) use self::store::Github;
use crate::QueueEvents;
use crate::testing::http::answer::{Refusal, Reply};
use crate::testing::http::call::RecordedCall;
use crate::testing::services::context::message::Message;
use crate::testing::services::context::{Context, Service};

impl Service for Github {
    fn answer(&self, context: &Context, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
        let answer = match call.endpoint.name {
            "builds" => builds::list(self, context, call),
            "cancelBuilds" => builds::cancel(self, context, call),
            "repository" => Ok(repositories::is_installed(self, call)),
            "createStatus" => repositories::post(self, call, "status", "sha"),
            "createComment" => repositories::post(self, call, "comment", "number"),
            "badge" => return Some(Ok(repositories::badge(self, call))),
            "latest" => return Some(repositories::latest(self, context, call)),
            "renderTaskclusterYml" => render::answer(context, call)?,
            _ => return None,
        };
        Some(answer.map(Reply::from))
    }

    fn hear(&self, message: &Message) {
        if message.exchange == QueueEvents::task_group_resolved().exchange().exchange
            && let Some(group) = message.payload["taskGroupId"].as_str()
        {
            let mut store = self.lock();
            if store.builds.iter().any(|build| build.task_group_id == group) {
                store.resolved.push(group.to_owned());
            }
        }
    }

    fn work_on_messages(&self, context: &Context) {
        builds::follow(self, context);
    }
}
