//! Planes of fewer samples to rows of pixels, as libjpeg's `jdsample.c` does it: each pixel takes three quarters from
//! its own sample and one from the nearest other, in each direction that has half the samples.

use crate::Plane;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    /// There is a sample for each pixel.
    None,
    /// Twice as many pixels across.
    Across,
    /// Twice as many pixels down.
    Down,
    /// Both.
    Both,
    /// Each sample again and again.
    Repeat,
}

/// Makes rows of pixels from a plane.
pub(crate) struct Upsampler<'a> {
    plane: &'a Plane,
    method: Method,
    width: usize,
    row: Vec<u8>,
    /// Sums of two rows, with the first and the last one twice.
    sums: Vec<u16>,
}

impl<'a> Upsampler<'a> {
    pub(crate) fn new(plane: &'a Plane, width: usize, is_fancy: bool) -> Self {
        let [across, down] = plane.ratios;
        let is_doubled = |(n_pixels, n_samples): (usize, usize)| n_pixels == 2 * n_samples;
        let is_same = |(n_pixels, n_samples): (usize, usize)| n_pixels == n_samples;
        let is_wide = plane.width > 2;
        let method = match () {
            () if is_same(across) && is_same(down) => Method::None,
            () if !is_fancy => Method::Repeat,
            () if is_doubled(across) && is_same(down) && is_wide => Method::Across,
            () if is_doubled(across) && is_doubled(down) && is_wide => Method::Both,
            () if is_same(across) && is_doubled(down) => Method::Down,
            () => Method::Repeat,
        };
        let row = if method == Method::None { Vec::new() } else { vec![0; width + 1] };
        let needs_sums = matches!(method, Method::Across | Method::Both);
        let sums = if needs_sums { vec![0; plane.width + 2] } else { Vec::new() };
        Self { plane, method, width, row, sums }
    }

    /// The row of pixels at `y`.
    pub(crate) fn row(&mut self, y: usize) -> &[u8] {
        match self.method {
            Method::None => return &self.plane.row(y)[..self.width],
            Method::Across => {
                self.sums[1..].iter_mut().zip(self.plane.row(y)).for_each(|(sum, sample)| *sum = (*sample).into());
                self.interpolate::<2>(1, 2);
            }
            Method::Both => {
                let (near, far) = self.rows_at(y);
                let samples = near.iter().zip(far);
                let sums = self.sums[1..].iter_mut().zip(samples);
                sums.for_each(|(sum, (near, far))| *sum = 3 * u16::from(*near) + u16::from(*far));
                self.interpolate::<4>(8, 7);
            }
            Method::Down => {
                let (near, far) = self.rows_at(y);
                let rounder = 1 + (y % 2) as u16;
                let samples = near.iter().zip(far).zip(&mut self.row);
                samples.for_each(|((near, far), out)| {
                    *out = ((3 * u16::from(*near) + u16::from(*far) + rounder) >> 2) as u8;
                });
            }
            Method::Repeat => self.repeat(y),
        }
        &self.row[..self.width]
    }

    /// The row of samples in which a row of pixels is, of twice as many, and the one that is next to the pixels.
    fn rows_at(&self, y: usize) -> (&'a [u8], &'a [u8]) {
        let near = y / 2;
        let far = if y.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(self.plane.height - 1) };
        (self.plane.row(near), self.plane.row(far))
    }

    /// Two pixels of each sum: three times itself, the one before or after it, and what rounds it.
    fn interpolate<const SHIFT: u32>(&mut self, before_rounder: u16, after_rounder: u16) {
        let n_samples = self.plane.width;
        self.sums[0] = self.sums[1];
        self.sums[n_samples + 1] = self.sums[n_samples];
        let sums = self.sums.iter().zip(&self.sums[1..]).zip(&self.sums[2..]);
        for (((before, sum), after), pair) in sums.zip(self.row.as_chunks_mut::<2>().0) {
            let first = (3 * sum + before + before_rounder) >> SHIFT;
            let second = (3 * sum + after + after_rounder) >> SHIFT;
            *pair = [first as u8, second as u8];
        }
    }

    fn repeat(&mut self, y: usize) {
        let [(n_pixels, n_samples), (n_rows, n_sample_rows)] = self.plane.ratios;
        let samples = self.plane.row((y * n_sample_rows / n_rows).min(self.plane.height - 1));
        for (x, out) in self.row.iter_mut().enumerate() {
            *out = samples[(x * n_samples / n_pixels).min(samples.len() - 1)];
        }
    }
}
