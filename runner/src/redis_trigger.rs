//! The Redis trigger: one message at a time from each address, to every component on its channel.
//!
//! Addresses are told apart as they are written: two spellings of one server are two connections, each with its own
//! messages one after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use futures::StreamExt as _;
use futures::future::join_all;
use redis::{Client, Msg};
use wasmtime::Engine;

use crate::bindings::SubscriberPre;
use crate::host::{Guest, Settings};

/// A component behind Redis channels.
pub struct Subscriber {
    pub engine: Engine,
    pub component: SubscriberPre<Guest>,
    pub settings: Arc<Settings>,
}

/// The channels of one address, and who listens.
pub struct Subscription {
    pub address: String,
    pub channels: BTreeMap<String, Vec<Arc<Subscriber>>>,
}

impl Subscription {
    /// Connects and hands on messages until the connection ends. There is no second attempt: as on Spin, the process
    /// ends, and whoever supervises it starts it again.
    ///
    /// # Errors
    /// Always, sooner or later: no connection, or the end of one.
    pub async fn listen(self) -> Result<()> {
        let client = Client::open(self.address.as_str())
            .with_context(|| format!("{:?} is not the address of a Redis server", self.address))?;
        let server = client.get_connection_info().addr().to_string();
        let mut messages =
            client.get_async_pubsub().await.with_context(|| format!("cannot connect to the Redis server {server}"))?;
        for (channel, subscribers) in &self.channels {
            messages.subscribe(channel).await.with_context(|| format!("cannot subscribe to {channel} on {server}"))?;
            for subscriber in subscribers {
                println!("{server} {channel} -> {}", subscriber.settings.component);
            }
        }
        let mut messages = messages.on_message();
        while let Some(message) = messages.next().await {
            self.hand_on(&message).await;
        }
        bail!("the connection to the Redis server {server} ended")
    }

    async fn hand_on(&self, message: &Msg) {
        let Some(subscribers) = self.channels.get(message.get_channel_name()) else { return };
        let handled = subscribers.iter().map(|subscriber| async move {
            if let Err(error) = subscriber.handle(message.get_payload_bytes().to_vec()).await {
                eprintln!("component {} failed on a message: {error:?}", subscriber.settings.component);
            }
        });
        join_all(handled).await;
    }
}

impl Subscriber {
    /// Hands `message` to a new instance, and drops that when the handler has returned: tasks that it leaves behind end
    /// there, as on Spin.
    async fn handle(&self, message: Vec<u8>) -> Result<()> {
        let mut store = Guest::store(&self.engine, &self.settings);
        let instance = self.component.instantiate_async(&mut store).await?;
        let handled = store
            .run_concurrent(async |accessor| {
                instance.spin_redis_inbound_redis().call_handle_message(accessor, message).await
            })
            .await??;
        handled.map_err(|error| anyhow::anyhow!("{error:?}"))
    }
}
