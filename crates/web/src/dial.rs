//! What comes back when another server is asked.

use http::{HeaderMap, StatusCode};

use crate::body::Incoming;

/// The head of an answer, and its body as it comes.
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Incoming,
}

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialError {
    /// The host does not let this component go there: not an allowed host, or an address in a blocked network.
    Forbidden,
    /// No server, or one that speaks no HTTP.
    Unreachable(String),
}
