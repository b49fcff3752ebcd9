//! The bus: how the components of the app tell each other that there is work.

use std::cell::{OnceCell, RefCell};
use std::future::Future;
use std::rc::Rc;

use events::{Context, Event};
use kv_schema::Millis;
use spin_sdk::redis::Connection;
use spin_sdk::variables;
use web::Problem;

use crate::Spin;
use crate::platform::within;

/// A worker that has done everything stays so long for what is due soon, in milliseconds.
pub const STAY: Millis = 2_000;

/// How long a message may take on its way to the server. Whoever sends it has other things to do.
const PATIENCE: u64 = 1_000;

/// The variable `bus`, and what it needs.
#[derive(Debug, Clone)]
pub(crate) enum Bus {
    /// Components call each other.
    Embedded,
    /// Messages on the channels of this server.
    Redis {
        /// `redis://host:port`
        url: Rc<str>,
    },
}

thread_local! {
    static BUS: OnceCell<Bus> = const { OnceCell::new() };
    static CONNECTION: RefCell<Option<Rc<Connection>>> = const { RefCell::new(None) };
}

impl Bus {
    /// The bus as it is set, read once an instance.
    ///
    /// # Errors
    /// `500 internal` when the setting is not what it should be; the log names it.
    pub async fn read() -> Result<Self, Problem> {
        if let Some(bus) = BUS.with(|cell| cell.get().cloned()) {
            return Ok(bus);
        }
        let bus = match variables::get("bus").await {
            Err(variables::Error::Undefined(_)) => Self::Embedded,
            Err(error) => return Err(Problem::internal(format!("the variable bus can't be read: {error:?}"))),
            Ok(text) => match text.trim() {
                "embedded" => Self::Embedded,
                "redis" => {
                    let url = variables::get("redis_url").await;
                    let url = url.map_err(|error| {
                        Problem::internal(format!("the variable redis_url can't be read: {error:?}"))
                    })?;
                    Self::Redis { url: url.trim().into() }
                }
                other => {
                    return Err(Problem::internal(format!(
                        "the variable bus can't be {other:?}: it is `embedded` or `redis`"
                    )));
                }
            },
        };
        Ok(BUS.with(|cell| cell.get_or_init(|| bus).clone()))
    }
}

/// Publishes a message, on the connection that the instance has; a broken one is replaced once.
///
/// # Errors
/// The cause, for the log.
pub(crate) async fn publish(url: &str, channel: &str, message: &[u8]) -> Result<(), String> {
    let sent = within(PATIENCE, async {
        if let Some(connection) = CONNECTION.with_borrow(Clone::clone) {
            if connection.publish(channel, message).await.is_ok() {
                return Ok(());
            }
            forget_connection();
        }
        let connection = Connection::open(url).await.map_err(|error| format!("{error:?}"))?;
        connection.publish(channel, message).await.map_err(|error| format!("{error:?}"))?;
        CONNECTION.set(Some(Rc::new(connection)));
        Ok(())
    });
    sent.await.unwrap_or_else(|| {
        // Whatever it waits for, the next message shall not wait for the same.
        forget_connection();
        Err(format!("it took longer than {PATIENCE} ms"))
    })
}

fn forget_connection() {
    drop(CONNECTION.take());
}

/// Handles a message to the worker of `context`: works the queue off, unless the message is an event that gives it no
/// work. A bell says "there is work" whatever is in it, and so does what can't be read.
///
/// # Errors
/// The cause, for the log. Messages are not delivered again: the work itself is in the store.
pub async fn hear<F>(context: Context, message: &[u8], work_off: impl FnOnce(Spin) -> F) -> Result<(), String>
where
    F: Future<Output = ()>,
{
    if let Ok(event) = Event::parse(message)
        && !event.gives_work_to().contains(&context)
    {
        return Ok(());
    }
    let spin = Spin::open().await.map_err(|problem| problem.cause.unwrap_or(problem.detail))?;
    work_off(spin).await;
    Ok(())
}
