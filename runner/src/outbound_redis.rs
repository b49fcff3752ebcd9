//! Connections that components make to Redis, with `spin:redis`.

use std::net::SocketAddr;

use redis::aio::MultiplexedConnection;
use redis::io::AsyncDNSResolver;
use redis::{
    AsyncCommands as _, AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, FromRedisValue, RedisError,
    RedisFuture, Value,
};
use wasmtime::component::{Accessor, HasSelf, Resource};

use crate::bindings::redis::{Error, Host, HostConnection, HostConnectionWithStore};
use crate::bindings::redis::{RedisParameter, RedisResult};
use crate::blocked_networks::BlockedNetworks;
use crate::host::Guest;

/// A connection that a guest holds open.
pub struct Connection(MultiplexedConnection);

impl Host for Guest {}

impl HostConnection for Guest {
    fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

type Result<T> = std::result::Result<T, Error>;

/// The connection behind `connection`.
fn connection<T: 'static>(
    accessor: &Accessor<T, HasSelf<Guest>>,
    connection: &Resource<Connection>,
) -> Result<MultiplexedConnection> {
    accessor.with(|mut access| {
        let Connection(connection) =
            access.get().table.get(connection).map_err(|_| Error::Other("the connection is closed".to_owned()))?;
        Ok(connection.clone())
    })
}

impl<T: Send + 'static> HostConnectionWithStore<T> for HasSelf<Guest> {
    async fn open(accessor: &Accessor<T, Self>, address: String) -> Result<Resource<Connection>> {
        let settings = accessor.with(|mut access| access.get().settings.clone());
        let client = Client::open(address).map_err(|_| Error::InvalidAddress)?;
        let ConnectionAddr::Tcp(host, port) = client.get_connection_info().addr() else {
            return Err(Error::InvalidAddress);
        };
        if !settings.allowed_hosts.allow_address("redis", host, Some(*port)) {
            eprintln!(
                "component {} may not connect to redis://{host}:{port}: its allowed_outbound_hosts do not have it",
                settings.component
            );
            return Err(Error::InvalidAddress);
        }
        let resolver = Resolver(settings.blocked_networks.clone());
        let config = AsyncConnectionConfig::new().set_dns_resolver(resolver).set_response_timeout(None);
        let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        accessor
            .with(|mut access| access.get().table.push(Connection(connection)).map_err(|_| Error::TooManyConnections))
    }

    async fn publish(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        channel: String,
        payload: Vec<u8>,
    ) -> Result<()> {
        Ok(connection(accessor, &handle)?.publish(channel, payload).await?)
    }

    async fn get(accessor: &Accessor<T, Self>, handle: Resource<Connection>, key: String) -> Result<Option<Vec<u8>>> {
        Ok(connection(accessor, &handle)?.get(key).await?)
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        key: String,
        value: Vec<u8>,
    ) -> Result<()> {
        Ok(connection(accessor, &handle)?.set(key, value).await?)
    }

    async fn incr(accessor: &Accessor<T, Self>, handle: Resource<Connection>, key: String) -> Result<i64> {
        Ok(connection(accessor, &handle)?.incr(key, 1).await?)
    }

    async fn del(accessor: &Accessor<T, Self>, handle: Resource<Connection>, keys: Vec<String>) -> Result<u32> {
        Ok(connection(accessor, &handle)?.del(keys).await?)
    }

    async fn sadd(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32> {
        Ok(connection(accessor, &handle)?.sadd(key, values).await?)
    }

    async fn smembers(accessor: &Accessor<T, Self>, handle: Resource<Connection>, key: String) -> Result<Vec<String>> {
        Ok(connection(accessor, &handle)?.smembers(key).await?)
    }

    async fn srem(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32> {
        Ok(connection(accessor, &handle)?.srem(key, values).await?)
    }

    async fn execute(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> Result<Vec<RedisResult>> {
        let mut connection = connection(accessor, &handle)?;
        let mut command = redis::cmd(&command);
        for argument in &arguments {
            match argument {
                RedisParameter::Int64(number) => command.arg(number),
                RedisParameter::Binary(bytes) => command.arg(bytes),
            };
        }
        let Results(results) = command.query_async(&mut connection).await?;
        Ok(results)
    }
}

/// A reply, flattened: what is nested in a list comes as the list's elements.
struct Results(Vec<RedisResult>);

impl FromRedisValue for Results {
    fn from_redis_value(value: Value) -> std::result::Result<Self, redis::ParsingError> {
        let mut results = Vec::new();
        flatten(value, &mut results);
        Ok(Self(results))
    }
}

fn flatten(value: Value, results: &mut Vec<RedisResult>) {
    match value {
        Value::Nil => results.push(RedisResult::Nil),
        Value::Int(number) => results.push(RedisResult::Int64(number)),
        Value::BulkString(bytes) => results.push(RedisResult::Binary(bytes)),
        Value::SimpleString(text) => results.push(RedisResult::Status(text)),
        Value::Okay => results.push(RedisResult::Status("OK".to_owned())),
        Value::Array(values) | Value::Set(values) => values.into_iter().for_each(|value| flatten(value, results)),
        Value::Map(pairs) => pairs.into_iter().for_each(|(key, value)| {
            flatten(key, results);
            flatten(value, results);
        }),
        other => results.push(RedisResult::Status(format!("{other:?}"))),
    }
}

impl From<RedisError> for Error {
    fn from(error: RedisError) -> Self {
        match error.kind() {
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => Self::TypeError,
            _ if error.code() == Some("WRONGTYPE") => Self::TypeError,
            _ => Self::Other(error.to_string()),
        }
    }
}

/// Resolves names to those of their addresses that are not blocked.
struct Resolver(BlockedNetworks);

impl AsyncDNSResolver for Resolver {
    fn resolve<'a, 'b: 'a>(
        &'a self,
        host: &'b str,
        port: u16,
    ) -> RedisFuture<'a, Box<dyn Iterator<Item = SocketAddr> + Send + 'a>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, port)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| !self.0.block(address.ip())).collect();
            if allowed.is_empty() {
                return Err((ErrorKind::InvalidClientConfig, "the address is unknown or blocked").into());
            }
            Ok(Box::new(allowed.into_iter()) as Box<dyn Iterator<Item = SocketAddr> + Send>)
        })
    }
}
