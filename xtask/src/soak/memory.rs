//! How memory goes while a load lasts.

use std::time::Instant;

use crate::bench::deployment::{Deployment, Role};
use crate::bench::stats::mean;

/// What was resident at a moment, in bytes.
#[derive(Clone, Copy)]
pub struct Sample {
    /// Seconds since the start.
    pub at: f64,
    /// Web processes and workers.
    pub app: u64,
    pub redis: u64,
}

impl Sample {
    pub fn take(deployment: &Deployment, started: Instant) -> Self {
        let app = deployment.memory(Role::Web) + deployment.memory(Role::Worker);
        Self { at: started.elapsed().as_secs_f64(), app, redis: deployment.memory(Role::Redis) }
    }
}

/// A line through the samples from second `from` on: mean and most in MB, and slope in MB a minute.
pub struct Trend {
    pub mean: f64,
    pub most: f64,
    pub slope: f64,
}

impl Trend {
    pub fn of(samples: &[Sample], from: f64, value: impl Fn(&Sample) -> u64) -> Self {
        let late = samples.iter().filter(|sample| sample.at >= from);
        let points: Vec<(f64, f64)> = late.map(|sample| (sample.at / 60.0, value(sample) as f64 / 1e6)).collect();
        let (xs, ys): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        let (x_mean, y_mean) = (mean(&xs), mean(&ys));
        let above: f64 = points.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum();
        let below: f64 = xs.iter().map(|x| (x - x_mean).powi(2)).sum();
        let slope = if below > 0.0 { above / below } else { 0.0 };
        Self { mean: y_mean, most: ys.iter().copied().fold(0.0, f64::max), slope }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_that_of_the_line_after_the_start() {
        let sample = |at: u32| Sample {
            at: at.into(),
            app: if at < 60 { 0 } else { 100_000_000 + u64::from(at) * 50_000 },
            redis: 7,
        };
        let samples: Vec<Sample> = (0..180).map(sample).collect();
        let trend = Trend::of(&samples, 60.0, |sample| sample.app);
        assert!((trend.slope - 3.0).abs() < 1e-6, "{}", trend.slope);
        assert!(Trend::of(&[], 0.0, |sample| sample.redis).mean.abs() < 1e-6);
    }
}
