//! Generated pictures.

/// Gradients, hard edges and noise, of `n_channels` to a pixel.
pub fn picture(width: usize, height: usize, n_channels: usize) -> Vec<u8> {
    let mut state = 0x1234_5678_u32;
    let mut noise = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state >> 24
    };
    let mut pixels = Vec::with_capacity(width * height * n_channels);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..n_channels {
                let value = match (x / 24 + y / 20 + channel) % 4 {
                    0 => (3 * x + 2 * y * channel) as u32,
                    1 => noise(),
                    2 if (x / 3 + y / 5).is_multiple_of(2) => 255,
                    2 => 0,
                    _ => 100 + noise() / 16,
                };
                pixels.push(value as u8);
            }
        }
    }
    pixels
}

/// Slow waves, of red, green and blue.
#[allow(dead_code)]
pub fn smooth(width: usize, height: usize) -> Vec<u8> {
    let pixel = |x: usize, y: usize| {
        let (x, y) = (x as f64 / 30.0, y as f64 / 25.0);
        [x.sin() * y.cos(), (x + y).cos(), (x - 2.0 * y).sin()].map(|wave| (128.0 + 100.0 * wave) as u8)
    };
    (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect()
}
