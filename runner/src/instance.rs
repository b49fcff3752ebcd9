//! Instances of HTTP components: how many requests share one, one after the other and at the same time.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::host::{Guest, Settings};

/// How long an instance waits for another request: Spin's default.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// How instances are shared.
#[derive(Clone, Copy, Debug)]
pub struct Reuse {
    /// Requests that an instance takes in its life.
    pub total: usize,
    /// Requests that it takes at the same time.
    pub concurrent: usize,
}

/// Makes the instances of one component.
pub struct Instances {
    pub engine: Engine,
    pub service: ServicePre<Guest>,
    pub settings: Arc<Settings>,
    pub reuse: Reuse,
}

impl HandlerState for Instances {
    type StoreData = Guest;
    type WorkerExpiration = Idleness;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Guest, Idleness, Worker>> {
        let mut store = Guest::store(&self.engine, &self.settings);
        let proxy = Proxy::P3(self.service.instantiate_async(&mut store).await?);
        Ok(Instance {
            store,
            proxy,
            view: Guest::http,
            expiration: Idleness { since: None, timeout: Box::pin(tokio::time::sleep(IDLE_TIMEOUT)) },
            state: Worker { component: self.settings.component.clone(), reuse: self.reuse },
        })
    }
}

/// Ends an instance that has had nothing to do for a while. One with a request or a task left is never ended.
pub struct Idleness {
    since: Option<Instant>,
    timeout: Pin<Box<Sleep>>,
}

impl WorkerExpiration for Idleness {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>, status: WorkerStatus, start: Instant) -> Poll<()> {
        if status != WorkerStatus::Idle {
            self.since = None;
            return Poll::Pending;
        }
        if self.since != Some(start) {
            self.since = Some(start);
            self.timeout.as_mut().reset((start + IDLE_TIMEOUT).into());
        }
        ready!(self.timeout.as_mut().poll(cx));
        Poll::Ready(())
    }
}

/// Decides for one instance what it takes on, and reports its end.
pub struct Worker {
    component: Arc<str>,
    reuse: Reuse,
}

impl WorkerState for Worker {
    type StoreData = Guest;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.reuse.total {
            ShouldAccept::Never
        } else if concurrent >= self.reuse.concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    /// Requests have no deadline, as on Spin.
    fn on_request_start(
        &self,
        _: StoreContextMut<'_, Guest>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        Box::pin(pending())
    }

    fn drop(&self, store: Store<Guest>, result: wasmtime::Result<()>) {
        // What the guest printed last comes before what became of it.
        drop(store);
        if let Err(error) = result {
            eprintln!("component {} failed, and every request in that instance with it: {error:?}", self.component);
        }
    }
}
