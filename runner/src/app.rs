//! From a manifest to something that runs.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use wasmtime::component::Component;
use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi_http::handler::ProxyHandler;
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::allowed_hosts::AllowedHosts;
use crate::bindings::SubscriberPre;
use crate::compose::{self, compose};
use crate::host::{Guest, Settings, link};
use crate::http::{Peers, Server, Stop};
use crate::instance::{Instances, Reuse};
use crate::key_value::Stores;
use crate::manifest::{self, Dependency, Manifest};
use crate::redis_trigger::{Subscriber, Subscription};
use crate::routes::Router;
use crate::runtime_config::RuntimeConfig;
use crate::variables::Variables;

/// How often a guest that computes is interrupted: Spin's interval.
const TICK: Duration = Duration::from_millis(10);

/// Instances that there can be at once, unless `SPIN_MAX_INSTANCE_COUNT` says otherwise: Spin's number.
const MAX_INSTANCES: u32 = 1_000;

/// Memory of an instance that stays with its slot in the pool for the next one, in place of being given back.
const KEEP_RESIDENT: usize = 2 << 20;

/// What the command line decides.
pub struct Options {
    pub listen: SocketAddr,
    pub state_dir: PathBuf,
    /// Where compiled components are kept; the user's cache folder without one.
    pub cache_dir: Option<PathBuf>,
    pub variables: HashMap<String, String>,
    pub reuse: Reuse,
    /// Bytes.
    pub max_memory: Option<usize>,
}

/// An application that is ready to run.
pub struct App {
    server: Option<(Arc<Server>, TcpListener)>,
    subscriptions: Vec<Subscription>,
    stores: Arc<Stores>,
}

impl App {
    /// Checks everything, compiles the components and opens the port.
    ///
    /// # Errors
    /// Whatever would otherwise go wrong at the first request.
    pub async fn load(manifest: Manifest, config: RuntimeConfig, options: Options) -> Result<Self> {
        let variables = Arc::new(Variables::new(&manifest, options.variables.clone())?);
        let router = Router::new(&manifest.trigger.http)?;
        let stores = Arc::new(Stores::open(&config, &options.state_dir)?);
        let peers = Arc::new(Peers::default());
        let settings = settings(&manifest, &config, &options, &variables, &stores, &peers)?;
        let engine = engine(options.cache_dir.as_deref())?;
        let components = compile(&engine, &manifest).await?;

        let listener = if manifest.trigger.http.is_empty() {
            None
        } else {
            let listener = TcpListener::bind(options.listen).await;
            Some(listener.with_context(|| format!("cannot listen on {}", options.listen))?)
        };
        let address = listener.as_ref().map(TcpListener::local_addr).transpose()?;
        peers.set(handlers(&manifest, &engine, &components, &settings, options.reuse)?, address);
        let server = Server {
            router,
            peers,
            name: manifest.application.name.clone(),
            version: manifest.application.version.clone(),
        };
        Ok(Self {
            server: listener.map(|listener| (Arc::new(server), listener)),
            subscriptions: subscriptions(&manifest, &engine, &components, &settings, &variables)?,
            stores,
        })
    }

    /// Runs until `stop`, or until a trigger cannot go on.
    ///
    /// # Errors
    /// A Redis server that is gone.
    pub async fn run(self, stop: Stop) -> Result<()> {
        let mut subscriptions = JoinSet::new();
        for subscription in self.subscriptions {
            subscriptions.spawn(subscription.listen());
        }
        let server = self.server.map(|(server, listener)| {
            announce(&server.router, &listener);
            tokio::spawn(server.serve(listener, stop.clone()))
        });
        let ended = tokio::select! {
            () = stop => Ok(()),
            Some(ended) = subscriptions.join_next() => ended.context("a trigger panicked")?,
        };
        if let (Some(server), Ok(())) = (server, &ended) {
            server.await.context("the server panicked")?;
        }
        self.stores.close().await;
        ended
    }
}

/// Prints the routes, and last the address, for people and for programs that wait for it.
fn announce(router: &Router, listener: &TcpListener) {
    for line in router.listing() {
        println!("{line}");
    }
    let address = listener.local_addr().expect("it is bound");
    println!("Serving http://{address}");
}

/// The settings of each component, by id.
fn settings(
    manifest: &Manifest,
    config: &RuntimeConfig,
    options: &Options,
    variables: &Arc<Variables>,
    stores: &Arc<Stores>,
    peers: &Arc<Peers>,
) -> Result<HashMap<String, Arc<Settings>>> {
    let ids: Vec<&str> = manifest.component.keys().map(String::as_str).collect();
    let mut settings = HashMap::new();
    for (id, component) in &manifest.component {
        let resolve = |rule: &String| variables.resolve(rule);
        let rules = component.allowed_outbound_hosts.iter().map(resolve).collect::<Result<Vec<_>, _>>();
        let rules = rules.with_context(|| format!("in allowed_outbound_hosts of component {id}"))?;
        let allowed_hosts = AllowedHosts::parse(rules.iter().map(String::as_str), &ids)
            .with_context(|| format!("in component {id}"))?;
        check_chaining(manifest, id, &allowed_hosts)?;
        for label in &component.key_value_stores {
            if stores.get(label).is_none() {
                bail!(
                    "component {id} uses the key-value store {label:?}, which the runtime-config file does not define"
                );
            }
        }
        let shared = Settings {
            component: id.as_str().into(),
            environment: component.environment.clone(),
            key_value_stores: component.key_value_stores.iter().cloned().collect(),
            stores: stores.clone(),
            variables: variables.clone(),
            allowed_hosts,
            blocked_networks: config.outbound_networking.block_networks.clone(),
            peers: peers.clone(),
            max_memory: options.max_memory,
        };
        settings.insert(id.clone(), Arc::new(shared));
    }
    Ok(settings)
}

/// Service chaining is for components behind HTTP triggers, on both ends.
fn check_chaining(manifest: &Manifest, id: &str, allowed_hosts: &AllowedHosts) -> Result<()> {
    let is_http = |id: &str| manifest.trigger.http.iter().any(|trigger| trigger.component.as_str() == id);
    for target in allowed_hosts.chained() {
        if manifest.trigger.redis.iter().any(|trigger| trigger.component.as_str() == id) {
            bail!(
                "component {id} has a Redis trigger, and may not call {target}.spin.internal: only HTTP components may"
            );
        }
        if !manifest.component.contains_key(target) {
            bail!(
                "component {id} may call {target}.spin.internal, but component {target} is not defined or not selected"
            );
        }
        if !is_http(target) {
            bail!("component {id} may call {target}.spin.internal, but component {target} has no HTTP trigger");
        }
    }
    Ok(())
}

/// An engine like Spin's.
fn engine(cache_dir: Option<&Path>) -> Result<Engine> {
    let mut cache = CacheConfig::new();
    if let Some(directory) = cache_dir {
        cache.with_directory(std::path::absolute(directory)?);
    }
    let cache = Cache::new(cache)
        .map_err(anyhow::Error::from)
        .context("cannot use the folder for compiled components: choose one with --cache-dir")?;
    let mut config = Config::new();
    config.epoch_interruption(true).wasm_component_model_async(true).cache(Some(cache));
    let on_demand = config.clone();

    let instances = match std::env::var("SPIN_MAX_INSTANCE_COUNT") {
        Ok(count) => count.parse().context("SPIN_MAX_INSTANCE_COUNT must be a number")?,
        Err(_) => MAX_INSTANCES,
    };
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(instances)
        .total_memories(instances)
        .total_stacks(instances)
        .total_tables(2 * instances)
        .total_core_instances(4 * instances)
        .table_elements(100_000)
        .max_component_instance_size(10 << 20)
        .max_core_instance_size(10 << 20)
        .max_core_instances_per_component(200)
        .max_tables_per_component(64)
        .max_memories_per_component(32)
        .max_memory_size(4 << 30)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(KEEP_RESIDENT / 4);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = match Engine::new(&config) {
        Ok(engine) => engine,
        // The pool reserves some terabytes of addresses, which not every system gives.
        Err(error) => {
            eprintln!("warning: instances are made one by one, which is slower: {error:#}");
            Engine::new(&on_demand)?
        }
    };
    let ticking = engine.weak();
    std::thread::Builder::new().name("ticks".to_owned()).spawn(move || {
        while let Some(engine) = ticking.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(engine)
}

/// The files that a component is made of.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Parts {
    source: PathBuf,
    dependencies: BTreeMap<String, Dependency>,
}

impl Parts {
    fn of(component: &manifest::Component, folder: &Path) -> Self {
        let absolute = |(name, dependency): (&String, &Dependency)| {
            let dependency = Dependency { path: folder.join(&dependency.path), export: dependency.export.clone() };
            (name.clone(), dependency)
        };
        Self {
            source: folder.join(component.source.path()),
            dependencies: component.dependencies.iter().map(absolute).collect(),
        }
    }

    /// The component that they make.
    fn compile(&self, engine: &Engine) -> Result<Component> {
        let mut bytes = read(&self.source)?;
        if !self.dependencies.is_empty() {
            bytes = compose(bytes, self.read_dependencies()?)?;
        }
        Component::new(engine, bytes).map_err(anyhow::Error::from).context("it is not a component that can be compiled")
    }

    fn read_dependencies(&self) -> Result<Vec<compose::Dependency<'_>>> {
        let mut read_ones = Vec::new();
        for (name, Dependency { path, export }) in &self.dependencies {
            let bytes = read(path).with_context(|| format!("dependency {name:?}: {}", path.display()))?;
            read_ones.push(compose::Dependency { name, export: export.as_deref(), bytes });
        }
        Ok(read_ones)
    }
}

/// The components, compiled or from the cache, by id. Those of the same files are compiled once.
async fn compile(engine: &Engine, manifest: &Manifest) -> Result<HashMap<String, Component>> {
    let mut users: BTreeMap<Parts, Vec<String>> = BTreeMap::new();
    for (id, component) in &manifest.component {
        users.entry(Parts::of(component, &manifest.folder)).or_default().push(id.clone());
    }
    let mut compiling = JoinSet::new();
    for (parts, ids) in users {
        let engine = engine.clone();
        compiling.spawn_blocking(move || {
            let compiled = parts.compile(&engine);
            let component =
                compiled.with_context(|| format!("component {}: {}", ids.join(", "), parts.source.display()))?;
            anyhow::Ok((ids, component))
        });
    }
    let mut components = HashMap::new();
    while let Some(compiled) = compiling.join_next().await {
        let (ids, component) = compiled??;
        components.extend(ids.into_iter().map(|id| (id, component.clone())));
    }
    Ok(components)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).context("cannot read it: is the component built?")
}

/// What answers the requests of each component behind an HTTP trigger, private or not.
fn handlers(
    manifest: &Manifest,
    engine: &Engine,
    components: &HashMap<String, Component>,
    settings: &HashMap<String, Arc<Settings>>,
    reuse: Reuse,
) -> Result<HashMap<String, ProxyHandler<Instances>>> {
    let mut handlers = HashMap::new();
    for trigger in &manifest.trigger.http {
        let id = trigger.component.as_str();
        if handlers.contains_key(id) {
            continue;
        }
        let linked = link(engine, &components[id]).with_context(|| format!("component {id}"))?;
        let service = ServicePre::<Guest>::new(linked).map_err(anyhow::Error::from).with_context(|| {
            format!("component {id} does not export wasi:http/handler@0.3.0, which HTTP triggers call")
        })?;
        let instances = Instances { engine: engine.clone(), service, settings: settings[id].clone(), reuse };
        handlers.insert(id.to_owned(), ProxyHandler::new(instances));
    }
    Ok(handlers)
}

/// The Redis triggers, by address as written and by channel.
fn subscriptions(
    manifest: &Manifest,
    engine: &Engine,
    components: &HashMap<String, Component>,
    settings: &HashMap<String, Arc<Settings>>,
    variables: &Variables,
) -> Result<Vec<Subscription>> {
    let mut servers: BTreeMap<String, BTreeMap<String, Vec<Arc<Subscriber>>>> = BTreeMap::new();
    for trigger in &manifest.trigger.redis {
        let id = trigger.component.as_str();
        let address = trigger.address.as_ref().unwrap_or(&manifest.application.trigger.redis.address);
        let address = variables.resolve(address)?;
        if address.is_empty() {
            bail!(
                "the Redis trigger of component {id} has no address, nor is there one in [application.trigger.redis]"
            );
        }
        let channel = variables.resolve(&trigger.channel)?;
        let linked = link(engine, &components[id]).with_context(|| format!("component {id}"))?;
        let component = SubscriberPre::<Guest>::new(linked).map_err(anyhow::Error::from).with_context(|| {
            format!("component {id} does not export spin:redis/inbound-redis@3.0.0, which Redis triggers call")
        })?;
        let subscriber = Arc::new(Subscriber { engine: engine.clone(), component, settings: settings[id].clone() });
        servers.entry(address).or_default().entry(channel).or_default().push(subscriber);
    }
    Ok(servers.into_iter().map(|(address, channels)| Subscription { address, channels }).collect())
}
