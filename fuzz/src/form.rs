//! Forms: any bytes are answered within the limits, however they are cut, and a sound form comes out as it went in.

use bytes::Bytes;
use futures::executor::block_on;
use futures::stream;
use ingest::multipart::{Form, parse};

const BOUNDARY: &str = "X-boundary";
const MOST_BYTES: u64 = 4096;

/// Reads `data` as the body of a form, whole and in pieces, and as a file inside a sound one.
///
/// # Panics
/// When a limit is passed, the cut makes a difference, or a file comes out changed.
pub fn multipart(data: &[u8]) {
    let whole = read(data, data.len().max(1));
    for piece in [1, 7, 64] {
        let cut = read(data, piece);
        assert_eq!(cut.as_ref().ok(), whole.as_ref().ok(), "pieces of {piece} bytes");
    }
    if let Ok(form) = whole {
        assert!(form.file.len() as u64 <= MOST_BYTES);
        let details: serde_json::Value = serde_json::from_slice(&form.details).expect("the details are JSON");
        assert!(details.is_object(), "{details}");
    }
    comes_out_as_it_went_in(data);
}

/// The code of a refusal, or the form.
fn read(body: &[u8], piece: usize) -> Result<Form, &'static str> {
    let pieces: Vec<_> = body.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    block_on(parse(stream::iter(pieces), BOUNDARY, MOST_BYTES)).map_err(|problem| problem.code)
}

fn comes_out_as_it_went_in(file: &[u8]) {
    let delimiter = format!("--{BOUNDARY}");
    let is_hidden = |window: &[u8]| window == delimiter.as_bytes();
    if file.len() as u64 > MOST_BYTES || file.windows(delimiter.len()).any(is_hidden) {
        return;
    }
    let head = format!("{delimiter}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n");
    let tail = format!("\r\n{delimiter}--\r\n");
    let body = [head.as_bytes(), file, tail.as_bytes()].concat();
    let form = read(&body, 13).expect("a sound form is read");
    assert_eq!(form.file, file);
}
