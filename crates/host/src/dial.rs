//! Asking other servers: one GET, no redirect followed, nothing believed.

use futures::StreamExt;
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::http::{EmptyBody, send};
use spin_sdk::wasip3::http::types::ErrorCode;
use web::body::Incoming;
use web::dial::{Answer, DialError};

/// Sends `GET url`.
///
/// # Errors
/// [`DialError`].
pub async fn get(url: &str, headers: &[(http::HeaderName, &str)]) -> Result<Answer, DialError> {
    let mut builder = http::Request::get(url);
    for (name, value) in headers {
        builder = builder.header(name, *value);
    }
    let request = builder.body(EmptyBody::new()).map_err(|error| DialError::Unreachable(error.to_string()))?;
    let response = send(request).await.map_err(|error| refused(&error))?;
    let (parts, body) = response.into_parts();
    let pieces = body.stream().map(|piece| piece.map_err(|error| error.to_string()));
    Ok(Answer { status: parts.status, headers: parts.headers, body: Incoming::new(pieces) })
}

fn refused(error: &ErrorCode) -> DialError {
    match error {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => DialError::Forbidden,
        other => DialError::Unreachable(other.to_string()),
    }
}
