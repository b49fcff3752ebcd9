//! The few statistics that are reported.

/// The value that half of the values are not above; 0 of none.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The mean; 0 of none.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The value that `part` (0 to 1) of the values are not above, between two of them in proportion; 0 of none.
pub fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let position = part * sorted.len().saturating_sub(1) as f64;
    let below = position.floor() as usize;
    let Some(&low) = sorted.get(below) else { return 0.0 };
    let high = sorted.get(below + 1).copied().unwrap_or(low);
    low + (high - low) * position.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        let check = |values: &[f64], part, expected: f64| {
            assert!((quantile(values, part) - expected).abs() < 1e-9, "{values:?} {part}");
        };
        check(&[], 0.5, 0.0);
        check(&[3.0], 0.9, 3.0);
        check(&[3.0, 1.0, 2.0], 0.5, 2.0);
        check(&[4.0, 1.0, 2.0, 3.0], 0.5, 2.5);
        check(&[1.0, 2.0, 3.0, 4.0, 5.0], 1.0, 5.0);
    }
}
