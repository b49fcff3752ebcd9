//! What of `ingest` can be set: one variable each, read once an instance.

use std::cell::OnceCell;

use web::Problem;
use work::World;

/// The settings, with the defaults of `spin.toml`.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Whether sources at private, loopback and link-local addresses are asked. For a lab and for tests.
    pub allow_private_sources: bool,
    /// The largest source, in bytes.
    pub max_source_bytes: u64,
    /// What an image may claim to hold.
    pub image: probe::Limits,
    /// How long a source may take to begin its answer, in milliseconds.
    pub first_byte_ms: u64,
    /// How long a download may take in all, redirects included, in milliseconds.
    pub total_ms: u64,
    /// How many redirects are followed.
    pub max_redirects: u32,
    /// How often a source that fails for the moment is asked.
    pub attempts: u32,
    /// The wait after the first failure, in milliseconds; doubled each time.
    pub retry_base_ms: u64,
    /// Jobs that may wait before new assets are refused.
    pub max_queued: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            allow_private_sources: false,
            max_source_bytes: 40_000_000,
            image: probe::Limits::default(),
            first_byte_ms: 10_000,
            total_ms: 30_000,
            max_redirects: 5,
            attempts: 5,
            retry_base_ms: 1_000,
            max_queued: 100_000,
        }
    }
}

thread_local! {
    static CONFIG: OnceCell<Config> = const { OnceCell::new() };
}

/// The settings of this instance.
///
/// # Errors
/// `500 internal` when a variable is not what it should be; the log names it.
pub async fn config(world: &impl World) -> Result<Config, Problem> {
    if let Some(config) = CONFIG.with(|cell| cell.get().copied()) {
        return Ok(config);
    }
    let default = Config::default();
    let config = Config {
        allow_private_sources: setting(world, "allow_private_sources", default.allow_private_sources).await?,
        max_source_bytes: setting(world, "max_source_bytes", default.max_source_bytes).await?,
        image: probe::Limits {
            max_pixels: setting(world, "max_pixels", default.image.max_pixels).await?,
            max_frames: setting(world, "max_frames", default.image.max_frames).await?,
            ..default.image
        },
        first_byte_ms: setting(world, "download_first_byte_ms", default.first_byte_ms).await?,
        total_ms: setting(world, "download_total_ms", default.total_ms).await?,
        max_redirects: setting(world, "max_redirects", default.max_redirects).await?,
        attempts: setting(world, "download_attempts", default.attempts).await?,
        retry_base_ms: setting(world, "retry_base_ms", default.retry_base_ms).await?,
        max_queued: setting(world, "max_queued", default.max_queued).await?,
    };
    Ok(CONFIG.with(|cell| *cell.get_or_init(|| config)))
}

async fn setting<T: std::str::FromStr>(world: &impl World, name: &str, default: T) -> Result<T, Problem> {
    match world.variable(name).await {
        None => Ok(default),
        Some(text) => {
            text.trim().parse().map_err(|_| Problem::internal(format!("the variable {name} can't be {text:?}")))
        }
    }
}
