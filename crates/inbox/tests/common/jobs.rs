use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use cronofy_webhook_inbox::Job;
use tower::{Service, service_fn};

/// The jobs that a service was called with.
#[derive(Clone, Default)]
pub(crate) struct Jobs(Arc<Mutex<Vec<Job>>>);

impl Jobs {
    pub(crate) fn push(&self, job: Job) {
        self.0.lock().unwrap().push(job);
    }

    pub(crate) fn all(&self) -> Vec<Job> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// A service that notes its jobs.
    pub(crate) fn noting(
        &self,
    ) -> impl Service<Job, Response = (), Error = Infallible, Future: Send + 'static> + Send + use<>
    {
        let jobs = self.clone();
        service_fn(move |job| {
            jobs.push(job);
            async { Ok(()) }
        })
    }
}
