use super::*;
use simd::portable;

/// Whatever numbers, the same every time.
fn random() -> impl FnMut() -> u32 {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u32
    }
}

/// Blocks of coefficients up to `limit`, of which few are not zero, and none outside the lowest `size` rows and columns.
fn blocks(limit: u32, size: usize) -> Vec<[i16; 64]> {
    let mut random = random();
    let mut block = || {
        let n = random() % 64;
        let coefficient = |place: usize| {
            let is_there = random() % 64 <= n && place % 8 < size && place / 8 < size;
            if is_there { (random() % (2 * limit)) as i32 - limit as i32 } else { 0 }
        };
        std::array::from_fn::<i32, 64, _>(coefficient).map(|c| c.clamp(i16::MIN.into(), i16::MAX.into()) as i16)
    };
    (0..2000).map(|_| block()).collect()
}

#[test]
fn instructions_and_plain_numbers_agree() {
    for limit in [40, 1000, 32_768] {
        for block in blocks(limit, 8) {
            assert_eq!(whole::<Vector>(&block), whole::<portable::Vector>(&block));
            assert_eq!(quarter::<Vector>(&block), quarter::<portable::Vector>(&block));
            assert_eq!(four::<Vector>(&block), four::<portable::Vector>(&block));
        }
    }
}

#[test]
fn leaving_out_zeros_changes_nothing() {
    for block in blocks(600, 4) {
        assert_eq!(whole::<Vector>(&block), quarter::<Vector>(&block));
    }
    for mean in -2048..2048 {
        let mut block = [0; 64];
        block[0] = mean;
        let mut filled = [0; 64];
        fill::<8>(mean, &mut filled, 8);
        assert_eq!(whole::<Vector>(&block).as_flattened(), filled, "{mean}");
        assert_eq!(four::<Vector>(&block).as_flattened(), &filled[..16], "{mean}");
        assert_eq!(two(&block).as_flattened(), &filled[..4], "{mean}");
    }
}

/// The transform by its definition, of the lowest `size` rows and columns, to samples around zero.
fn defined(block: &[i16; 64], size: usize) -> Vec<f64> {
    let wave = |frequency: usize, x: usize| {
        let angle = (2 * x + 1) as f64 * frequency as f64 * std::f64::consts::PI / (2 * size) as f64;
        angle.cos() * if frequency == 0 { 1.0 } else { std::f64::consts::SQRT_2 }
    };
    let sample = |x: usize, y: usize| {
        let places = (0..size * size).map(|i| (i % size, i / size));
        let waves = places.map(|(u, v)| f64::from(block[8 * v + u]) * wave(u, x) * wave(v, y));
        waves.sum::<f64>() / 8.0
    };
    (0..size * size).map(|i| sample(i % size, i / size)).collect()
}

#[test]
fn samples_are_those_of_the_definition() {
    let check = |block: &[i16; 64], size: usize, samples: &[u8]| {
        for (sample, expected) in samples.iter().zip(defined(block, size)) {
            let error = f64::from(*sample) - (expected + 128.0).clamp(0.0, 255.0);
            assert!(error.abs() < 0.8, "{size}: {error}");
        }
    };
    for limit in [10, 100, 1000] {
        for block in blocks(limit, 8) {
            check(&block, 8, whole::<Vector>(&block).as_flattened());
            check(&block, 4, four::<Vector>(&block).as_flattened());
            // Two points have no factors but one, in this as in every definition.
            let mut both = block;
            [1, 8].iter().for_each(|place| both[*place] = (f64::from(both[*place]) / 2_f64.sqrt()).round() as i16);
            both[9] /= 2;
            let [left, right] = [[0, 1], [8, 9]].map(|places| places.map(|place: usize| f64::from(both[place])));
            let expected = (left[0] + left[1] + right[0] + right[1]) / 8.0 + 128.0;
            let error = f64::from(two(&both)[0][0]) - expected.clamp(0.0, 255.0);
            assert!(error.abs() <= 0.5, "{error}");
        }
    }
}

#[test]
fn twelve_bits_are_those_of_the_definition() {
    for block in blocks(3000, 8) {
        let mut samples = [0; 64];
        write_12_bit::<8>(&block, &[1; 64], &mut samples, 8);
        for (sample, expected) in samples.iter().zip(defined(&block, 8)) {
            let error = f64::from(*sample) - ((expected + 2048.0) / 16.0).clamp(0.0, 255.0);
            assert!(error.abs() < 0.8, "{error}");
        }
    }
}

#[test]
fn blocks_stay_in_their_place() {
    for block in blocks(500, 8).iter().take(20) {
        let mut out = [7; 20 * 9];
        write::<8>(block, 63, &mut out[3..], 20);
        let inside = |i: usize| (3..11).contains(&(i % 20)) && i / 20 < 8;
        assert!((0..out.len()).all(|i| inside(i) || out[i] == 7));
        assert_eq!(out[3..11], whole::<Vector>(block)[0]);
    }
}
