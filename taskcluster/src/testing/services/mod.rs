//! The built-in services. None knows another: they share a [`Context`], through which they call each other's endpoints and
//! receive each other's messages.

mod auth;
pub(crate) mod context;
pub(crate) mod github;
mod hooks;
mod index;
pub(crate) mod meta;
pub(crate) mod notify;
mod object;
mod purge_cache;
mod queue;
mod secrets;
mod web_server;
pub(crate) mod web_ui;
pub(crate) mod worker_manager;

use std::sync::Arc;

use self::context::{Context, Entry, Service};
use crate::{
    Auth, AuthEvents, Github, GithubEvents, Hooks, HooksEvents, Index, Notify, NotifyEvents,
    Object, PurgeCache, Queue, QueueEvents, Reference, Secrets, WebServer, WorkerManager,
    WorkerManagerEvents, slugid,
};

/// All services, and those that tests set up or inspect.
pub(crate) struct Services {
    pub(crate) context: Context,
    pub(crate) auth: Arc<auth::Auth>,
    pub(crate) github: Arc<github::Github>,
    pub(crate) notify: Arc<notify::Notify>,
    pub(crate) queue: Arc<queue::Queue>,
    pub(crate) web_ui: web_ui::WebUi,
    pub(crate) worker_manager: Arc<worker_manager::WorkerManager>,
}

impl Default for Services {
    fn default() -> Self {
        let service_token = slugid::v4() + &slugid::v4();
        let auth = Arc::new(auth::Auth::new(service_token.clone()));
        let github = Arc::<github::Github>::default();
        let notify = Arc::<notify::Notify>::default();
        let queue = Arc::<queue::Queue>::default();
        let worker_manager = Arc::<worker_manager::WorkerManager>::default();
        let table = vec![
            entry(&Auth::REFERENCE, Some(&AuthEvents::REFERENCE), Some(auth.clone())),
            entry(&Github::REFERENCE, Some(&GithubEvents::REFERENCE), Some(github.clone())),
            entry(&Hooks::REFERENCE, Some(&HooksEvents::REFERENCE), built_in::<hooks::Hooks>()),
            entry(&Index::REFERENCE, None, built_in::<index::Index>()),
            entry(&Notify::REFERENCE, Some(&NotifyEvents::REFERENCE), Some(notify.clone())),
            entry(&Object::REFERENCE, None, built_in::<object::Objects>()),
            entry(&PurgeCache::REFERENCE, None, built_in::<purge_cache::PurgeCache>()),
            entry(&Queue::REFERENCE, Some(&QueueEvents::REFERENCE), Some(queue.clone())),
            entry(&Secrets::REFERENCE, None, built_in::<secrets::Secrets>()),
            entry(&WebServer::REFERENCE, None, built_in::<web_server::WebServer>()),
            entry(
                &WorkerManager::REFERENCE,
                Some(&WorkerManagerEvents::REFERENCE),
                Some(worker_manager.clone()),
            ),
        ];
        let context = Context::new(table, auth.clone(), service_token);
        let web_ui = web_ui::WebUi::default();
        Self { context, auth, github, notify, queue, web_ui, worker_manager }
    }
}

/// A row of the table: a service's references, and its implementation.
fn entry(
    reference: &'static Reference,
    exchanges: Option<&'static Reference>,
    service: Option<Arc<dyn Service>>,
) -> Entry {
    Entry { reference, exchanges, service }
}

fn built_in<S: Service + Default + 'static>() -> Option<Arc<dyn Service>> {
    Some(Arc::new(S::default()))
}
