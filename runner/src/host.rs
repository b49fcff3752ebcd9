//! What the host keeps for each instance of a component, and what it serves it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use wasmtime::component::{Component, HasSelf, InstancePre, Linker, ResourceTable};
use wasmtime::{Engine, Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::allowed_hosts::AllowedHosts;
use crate::bindings::{key_value, keyvalue, redis, variables};
use crate::blocked_networks::BlockedNetworks;
use crate::denied;
use crate::http::Peers;
use crate::key_value::{OpenStores, Stores};
use crate::logs::Log;
use crate::outbound::Outbound;
use crate::variables::{Error as VariablesError, Variables};

/// What all instances of one component share.
pub struct Settings {
    /// The component's id.
    pub component: Arc<str>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// The labels of the stores that it may open.
    pub key_value_stores: BTreeSet<String>,
    /// Every store of the application.
    pub stores: Arc<Stores>,
    /// Every variable of the application.
    pub variables: Arc<Variables>,
    /// Where it may connect to.
    pub allowed_hosts: AllowedHosts,
    /// Where nobody may connect to.
    pub blocked_networks: BlockedNetworks,
    /// The application's components, for service chaining.
    pub peers: Arc<Peers>,
    /// Bytes of memory that an instance may have; without a limit, what 32 bits can address.
    pub max_memory: Option<usize>,
}

/// The host's side of one instance.
pub struct Guest {
    /// Shared with the other instances of the component.
    pub settings: Arc<Settings>,
    /// Everything that the guest holds a handle of.
    pub table: ResourceTable,
    /// How many of those are stores.
    pub open_stores: OpenStores,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    limits: StoreLimits,
}

impl Guest {
    /// A store for one instance.
    pub fn store(engine: &Engine, settings: &Arc<Settings>) -> Store<Self> {
        let mut wasi = WasiCtx::builder();
        for (name, value) in &settings.environment {
            wasi.env(name, value);
        }
        wasi.stdout(Log::new(settings.component.clone())).stderr(Log::new(settings.component.clone()));
        let mut limits = StoreLimitsBuilder::new();
        if let Some(max_memory) = settings.max_memory {
            limits = limits.memory_size(max_memory);
        }
        let guest = Self {
            settings: settings.clone(),
            table: ResourceTable::new(),
            open_stores: OpenStores::default(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound: Outbound::new(settings.clone()),
            limits: limits.build(),
        };
        let mut store = Store::new(engine, guest);
        store.limiter(|guest| &mut guest.limits);
        // A guest that computes for long lets the other tasks of its thread run at every tick of the engine's clock.
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        store
    }
}

/// Links `component` to everything that is served.
///
/// # Errors
/// The name of an import that is not served.
pub fn link(engine: &Engine, component: &Component) -> Result<InstancePre<Guest>> {
    let mut linker = Linker::<Guest>::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    key_value::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    keyvalue::store::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    keyvalue::atomics::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    keyvalue::batch::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    redis::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    variables::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    denied::add_to_linker(&mut linker, engine, component)?;
    let linked = linker.instantiate_pre(component).map_err(anyhow::Error::from);
    linked.context("it needs something that this runner does not serve")
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outbound }
    }
}

impl variables::Host for Guest {}

impl<T: Send + 'static> variables::HostWithStore<T> for HasSelf<Guest> {
    async fn get(
        accessor: &wasmtime::component::Accessor<T, Self>,
        name: String,
    ) -> std::result::Result<String, variables::Error> {
        let settings = accessor.with(|mut access| access.get().settings.clone());
        settings.variables.get(&settings.component, &name).map_err(|error| {
            let text = error.to_string();
            match error {
                VariablesError::InvalidName(_) => variables::Error::InvalidName(text),
                VariablesError::Undefined { .. } => variables::Error::Undefined(text),
                VariablesError::NoValue(_) => variables::Error::Provider(text),
                VariablesError::InvalidTemplate { .. } => variables::Error::Other(text),
            }
        })
    }
}
