//! Events as CloudEvents 1.0 in JSON, structured mode, with the extensions for sequence and distributed tracing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Data, Event, Trace};

/// In front of the name of each kind of event.
const PREFIX: &str = "scalehoster.";

/// Behind it: the version of what the data means. Fields may be added within a version, none may change or go.
const VERSION: &str = ".v1";

/// An event as it stands on the wire.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    time: String,
    datacontenttype: String,
    /// Twenty digits, so that comparing texts compares numbers.
    sequence: String,
    traceparent: String,
    data: Value,
}

/// Why a message is no event.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Not a CloudEvents document of ours, or not with the fields of its type.
    #[error("the message is no event: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A field of the envelope that can't be what it is.
    #[error("the event's {0} can't be {1:?}")]
    Field(&'static str, String),
}

impl Event {
    /// The type, as `scalehoster.asset.ready.v1`.
    pub fn type_name(&self) -> String {
        format!("{PREFIX}{}{VERSION}", self.name())
    }

    /// The event as it is sent.
    pub fn to_json(&self) -> Vec<u8> {
        let envelope = Envelope {
            specversion: "1.0".to_owned(),
            id: self.id(),
            source: self.data.aggregate().source().to_owned(),
            kind: self.type_name(),
            subject: self.subject.clone(),
            time: Timestamp::from_millisecond(self.time).unwrap_or_default().to_string(),
            datacontenttype: "application/json".to_owned(),
            sequence: format!("{:020}", self.sequence),
            traceparent: self.trace.to_string(),
            data: serde_json::to_value(&self.data).expect("names and numbers are JSON"),
        };
        serde_json::to_vec(&envelope).expect("texts are JSON")
    }

    /// Reads what [`Event::to_json`] wrote. Fields it does not know are left aside.
    ///
    /// # Errors
    /// [`Unreadable`], also for types and versions that are not known here.
    pub fn parse(json: &[u8]) -> Result<Self, Unreadable> {
        let envelope: Envelope = serde_json::from_slice(json)?;
        let Envelope { specversion, kind, subject, time, sequence, traceparent, data, .. } = envelope;
        let refused = |field, value: &String| Unreadable::Field(field, value.clone());
        if specversion != "1.0" {
            return Err(refused("specversion", &specversion));
        }
        let name = kind.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(VERSION));
        let data = name.and_then(|name| Data::read(name, data)).ok_or_else(|| refused("type", &kind))??;
        let at: Timestamp = time.parse().map_err(|_| refused("time", &time))?;
        Ok(Self {
            sequence: sequence.parse().map_err(|_| refused("sequence", &sequence))?,
            time: at.as_millisecond(),
            trace: Trace::parse(&traceparent).ok_or_else(|| refused("traceparent", &traceparent))?,
            subject,
            data,
        })
    }
}
