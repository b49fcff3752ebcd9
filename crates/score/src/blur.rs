//! The Gaussian of sigma 1.5, row by row.

/// How many rows and columns away a pixel still counts.
pub(crate) const REACH: usize = 4;
/// Rows that a blurred row is made of.
const ROWS: usize = 2 * REACH + 1;

/// The weights from the middle outwards.
///
/// They are what the recursive filter answers to a single pixel: three cosines over a window of five pixels to each
/// side (Charalampidis 2016), which end in zero at the fifth.
const TAPS: [f32; REACH + 1] = [0.264_621_1, 0.212_928_6, 0.109_335_37, 0.036_011_115, 0.009_414_368];

/// Blurs a plane whose rows come in from the top. Outside of the picture is zero.
pub(crate) struct RowBlur {
    width: usize,
    /// A row with zeros at both ends.
    padded: Vec<f32>,
    /// The last rows that came, blurred along.
    ring: Vec<f32>,
    /// How many rows have come.
    n_rows: usize,
}

impl RowBlur {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, padded: vec![0.0; width + 2 * REACH], ring: vec![0.0; width * ROWS], n_rows: 0 }
    }

    /// Takes the next row; `None` for one below the picture.
    pub(crate) fn push(&mut self, row: Option<impl Iterator<Item = f32>>) {
        let width = self.width;
        let slot = &mut self.ring[self.n_rows % ROWS * width..][..width];
        self.n_rows += 1;
        let Some(row) = row else { return slot.fill(0.0) };
        for (padded, value) in self.padded[REACH..REACH + width].iter_mut().zip(row) {
            *padded = value;
        }
        let shifted: [&[f32]; ROWS] = std::array::from_fn(|shift| &self.padded[shift..][..width]);
        weigh(shifted, slot);
    }

    /// The blurred row that lies [`REACH`] above the one that came last.
    pub(crate) fn blurred(&self, row: &mut [f32]) {
        let above: [&[f32]; ROWS] =
            std::array::from_fn(|i| &self.ring[(self.n_rows + i) % ROWS * self.width..][..self.width]);
        weigh(above, row);
    }
}

/// The weighted sum of nine rows, all as long as `sums`.
fn weigh(rows: [&[f32]; ROWS], sums: &mut [f32]) {
    let n = sums.len();
    let [a, b, c, d, e, f, g, h, i] = rows.map(|row| &row[..n]);
    for x in 0..n {
        let mut sum = e[x] * TAPS[0];
        sum += (d[x] + f[x]) * TAPS[1];
        sum += (c[x] + g[x]) * TAPS[2];
        sum += (b[x] + h[x]) * TAPS[3];
        sum += (a[x] + i[x]) * TAPS[4];
        sums[x] = sum;
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    /// The taps as the paper has them; the numbers in brackets are those of its formulas.
    fn taps() -> [f64; REACH + 1] {
        const SIGMA: f64 = 1.5;
        let radius = (3.2795 * SIGMA + 0.2546).round(); // (57)
        let omega = [1.0, 3.0, 5.0].map(|k| k * PI / (2.0 * radius));
        let signs = [1.0, -1.0, 1.0];
        let p: [f64; 3] = std::array::from_fn(|k| signs[k] / (0.5 * omega[k]).tan()); // (37)
        let r: [f64; 3] = std::array::from_fn(|k| signs[k] * p[k] * p[k] / omega[k].sin()); // (44)
        let rho = omega.map(|omega| (-0.5 * SIGMA * SIGMA * omega * omega).exp() / radius); // (50)
        let minor = |i: usize, j: usize| p[i] * r[j] - r[i] * p[j];
        let zeta = [minor(1, 2) / minor(0, 1), minor(2, 0) / minor(0, 1), 1.0]; // (52)
        let right = [1.0, radius * radius - SIGMA * SIGMA, zeta[0] * rho[0] + zeta[1] * rho[1] + rho[2]]; // (55)
        let determinant = |m: [[f64; 3]; 3]| {
            let two = |i: usize, j: usize| m[1][i] * m[2][j] - m[1][j] * m[2][i];
            m[0][0] * two(1, 2) - m[0][1] * two(0, 2) + m[0][2] * two(0, 1)
        };
        let rows = [p, r, zeta]; // (56)
        let beta: [f64; 3] = std::array::from_fn(|k| {
            let mut replaced = rows;
            for (row, right) in replaced.iter_mut().zip(right) {
                row[k] = right;
            }
            determinant(replaced) / determinant(rows) // (53)
        });
        std::array::from_fn(|at| (0..3).map(|k| beta[k] * (omega[k] * at as f64).cos()).sum())
    }

    #[test]
    fn taps_are_those_of_the_recursive_filter() {
        for (tap, exact) in TAPS.iter().zip(taps()) {
            assert!((f64::from(*tap) - exact).abs() < 1e-8, "{tap} {exact}");
        }
        let sum: f32 = TAPS[0] + 2.0 * TAPS[1..].iter().sum::<f32>();
        assert!((sum - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_point_becomes_the_product_of_two_rows_of_taps() {
        let (width, height) = (13, 11);
        let mut blur = RowBlur::new(width);
        let mut rows = Vec::new();
        for y in 0..height + REACH {
            let row = (0..width).map(|x| f32::from(u8::from((x, y) == (6, 3))));
            blur.push((y < height).then_some(row));
            if y >= REACH {
                let mut row = vec![0.0; width];
                blur.blurred(&mut row);
                rows.push(row);
            }
        }
        for (y, row) in rows.iter().enumerate() {
            for (x, value) in row.iter().enumerate() {
                let tap = |distance: usize| TAPS.get(distance).copied().unwrap_or(0.0);
                assert!((value - tap(x.abs_diff(6)) * tap(y.abs_diff(3))).abs() < 1e-8, "{x} {y}");
            }
        }
    }
}
