//! What of `resize` can be set: one variable each, read once an instance.

use std::cell::OnceCell;

use web::Problem;
use work::World;

use crate::pixels::Limits;

thread_local! {
    static LIMITS: OnceCell<Limits> = const { OnceCell::new() };
}

/// How much one picture may take.
///
/// # Errors
/// `500 internal` when a variable is not what it should be; the log names it.
pub async fn limits(world: &impl World) -> Result<Limits, Problem> {
    if let Some(limits) = LIMITS.with(|cell| cell.get().copied()) {
        return Ok(limits);
    }
    let mut limits = Limits::default();
    if let Some(text) = world.variable("max_pixels").await {
        limits.max_pixels = parse("max_pixels", &text)?;
    }
    if let Some(text) = world.variable("max_frames").await {
        limits.max_frames = parse("max_frames", &text)?;
    }
    Ok(LIMITS.with(|cell| *cell.get_or_init(|| limits)))
}

fn parse<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, Problem> {
    text.trim().parse().map_err(|_| Problem::internal(format!("the variable {name} can't be {text:?}")))
}
