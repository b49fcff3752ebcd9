//! Forms with files, as a browser sends them.

use crate::Call;

/// A `multipart/form-data` body that is being put together.
#[derive(Default)]
pub struct Form {
    body: Vec<u8>,
}

/// Unusual on purpose: a parser that looks for `--` alone goes wrong.
pub const BOUNDARY: &str = "--form--boundary--7";

impl Form {
    /// An empty form.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text field.
    #[must_use]
    pub fn field(self, name: &str, value: &str) -> Self {
        self.part(&format!("content-disposition: form-data; name=\"{name}\""), value.as_bytes())
    }

    /// Adds the file.
    #[must_use]
    pub fn file(self, media_type: &str, bytes: &[u8]) -> Self {
        let head = "Content-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".jpg\"";
        self.part(&format!("{head}\r\nContent-Type: {media_type}"), bytes)
    }

    /// Adds a part with this head.
    #[must_use]
    pub fn part(mut self, head: &str, bytes: &[u8]) -> Self {
        self.body.extend(format!("--{BOUNDARY}\r\n{head}\r\n\r\n").as_bytes());
        self.body.extend(bytes);
        self.body.extend(b"\r\n");
        self
    }

    /// The body with its closing line.
    pub fn bytes(mut self) -> Vec<u8> {
        self.body.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.body
    }

    /// The body without its closing line.
    pub fn unclosed(self) -> Vec<u8> {
        self.body
    }

    /// Puts the form into `call`.
    pub fn into(self, call: Call) -> Call {
        let call = call.header("content-type", &format!("multipart/form-data; boundary=\"{BOUNDARY}\""));
        call.body(self.bytes())
    }
}
