//! Pixels that were seen before: LZ77 with hash chains (the specification's section 5.2.2).

use super::costs::Costs;

/// The longest copy.
const LONGEST: usize = 4096;
/// The farthest copy: distances below are kept for neighbours, see [`NEAR`].
const FARTHEST: usize = (1 << 20) - 120;
/// Shorter copies are not looked for.
const SHORTEST: usize = 3;
/// Candidates looked at for each pixel.
const CHAIN: usize = 16;
const HASH_BITS: u32 = 16;

/// What the pixels are written as: eight bytes, as there can be one for each pixel.
pub enum Token {
    /// A pixel.
    Literal(u32),
    /// A colour by its place in the cache; never given by [`tokens`].
    Cached(u16),
    /// So many pixels again, from where the code of a distance says.
    Copy {
        /// Pixels.
        length: u16,
        /// The code: 1 to 120 for neighbours, else 120 more than the distance.
        code: u32,
    },
}

/// The pixels as tokens, a copy wherever it costs less than the pixels themselves.
pub fn tokens(pixels: &[u32], width: usize, costs: &Costs) -> Vec<Token> {
    let near = Near::new(width);
    let mut chains = Chains::new(pixels);
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < pixels.len() {
        let (length, distance) = chains.longest(at, width);
        let code = near.code(distance);
        let is_cheaper = length >= SHORTEST && {
            let limit = costs.copy(length, code);
            let mut literals = 0;
            pixels[at..at + length].iter().any(|&pixel| {
                literals += costs.literal(pixel);
                literals > limit
            })
        };
        let next = if is_cheaper {
            tokens.push(Token::Copy { length: length as u16, code: code as u32 });
            at + length
        } else {
            tokens.push(Token::Literal(pixels[at]));
            at + 1
        };
        chains.insert(at..next);
        at = next;
    }
    tokens
}

/// Where three pixels in a row were seen, the last place first.
struct Chains<'a> {
    pixels: &'a [u32],
    /// One more than the last place with a hash; zero for none.
    heads: Vec<u32>,
    previous: Vec<u32>,
}

impl<'a> Chains<'a> {
    fn new(pixels: &'a [u32]) -> Self {
        Self { pixels, heads: vec![0; 1 << HASH_BITS], previous: vec![0; pixels.len()] }
    }

    fn hash(&self, at: usize) -> usize {
        let [a, b, c] = [0, 1, 2].map(|i| u64::from(self.pixels[at + i]));
        let three = (a | b << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ c.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        (three.wrapping_mul(0x1656_67b1_9e37_79f9) >> (64 - HASH_BITS)) as usize
    }

    /// In a long copy, most places are as good as their neighbours.
    fn insert(&mut self, places: std::ops::Range<usize>) {
        let step = if places.len() > 256 { 8 } else { 1 };
        let end = places.end.min(self.pixels.len().saturating_sub(SHORTEST - 1));
        for at in (places.start..end).step_by(step) {
            let hash = self.hash(at);
            self.previous[at] = self.heads[hash];
            self.heads[hash] = at as u32 + 1;
        }
    }

    /// The longest copy at a place, and its distance.
    fn longest(&self, at: usize, width: usize) -> (usize, usize) {
        let mut best = (0, 1);
        if at + SHORTEST > self.pixels.len() {
            return best;
        }
        for distance in [1, width] {
            if distance <= at {
                self.improve(at, distance, &mut best);
            }
        }
        let mut place = self.heads[self.hash(at)] as usize;
        for _ in 0..CHAIN {
            if place == 0 || at - (place - 1) > FARTHEST || best.0 >= LONGEST / 8 {
                break;
            }
            self.improve(at, at - (place - 1), &mut best);
            place = self.previous[place - 1] as usize;
        }
        best
    }

    fn improve(&self, at: usize, distance: usize, best: &mut (usize, usize)) {
        let limit = (self.pixels.len() - at).min(LONGEST);
        let (here, there) = (&self.pixels[at..at + limit], &self.pixels[at - distance..]);
        if best.0 >= limit || here[best.0] != there[best.0] {
            return;
        }
        let length = here.iter().zip(there).take_while(|(a, b)| a == b).count();
        if length > best.0 {
            *best = (length, distance);
        }
    }
}

/// The codes of distances to neighbours.
struct Near {
    /// Distance and code, in order.
    codes: Vec<(usize, usize)>,
}

impl Near {
    fn new(width: usize) -> Self {
        let mut codes: Vec<(usize, usize)> = Vec::with_capacity(NEAR.len());
        for (i, &(left, up)) in NEAR.iter().enumerate() {
            let distance = width as isize * isize::from(up) + isize::from(left);
            if distance > 0 {
                codes.push((distance as usize, i + 1));
            }
        }
        codes.sort_unstable();
        codes.dedup_by_key(|&mut (distance, _)| distance);
        Self { codes }
    }

    fn code(&self, distance: usize) -> usize {
        match self.codes.binary_search_by_key(&distance, |&(distance, _)| distance) {
            Ok(i) => self.codes[i].1,
            Err(_) => distance + 120,
        }
    }
}

/// The neighbours that have codes of their own: pixels to the left, and rows up.
#[rustfmt::skip]
const NEAR: [(i8, i8); 120] = [
    (0, 1), (1, 0), (1, 1), (-1, 1), (0, 2), (2, 0), (1, 2), (-1, 2), (2, 1), (-2, 1),
    (2, 2), (-2, 2), (0, 3), (3, 0), (1, 3), (-1, 3), (3, 1), (-3, 1), (2, 3), (-2, 3),
    (3, 2), (-3, 2), (0, 4), (4, 0), (1, 4), (-1, 4), (4, 1), (-4, 1), (3, 3), (-3, 3),
    (2, 4), (-2, 4), (4, 2), (-4, 2), (0, 5), (3, 4), (-3, 4), (4, 3), (-4, 3), (5, 0),
    (1, 5), (-1, 5), (5, 1), (-5, 1), (2, 5), (-2, 5), (5, 2), (-5, 2), (4, 4), (-4, 4),
    (3, 5), (-3, 5), (5, 3), (-5, 3), (0, 6), (6, 0), (1, 6), (-1, 6), (6, 1), (-6, 1),
    (2, 6), (-2, 6), (6, 2), (-6, 2), (4, 5), (-4, 5), (5, 4), (-5, 4), (3, 6), (-3, 6),
    (6, 3), (-6, 3), (0, 7), (7, 0), (1, 7), (-1, 7), (5, 5), (-5, 5), (7, 1), (-7, 1),
    (4, 6), (-4, 6), (6, 4), (-6, 4), (2, 7), (-2, 7), (7, 2), (-7, 2), (3, 7), (-3, 7),
    (7, 3), (-7, 3), (5, 6), (-5, 6), (6, 5), (-6, 5), (8, 0), (4, 7), (-4, 7), (7, 4),
    (-7, 4), (8, 1), (8, 2), (6, 6), (-6, 6), (8, 3), (5, 7), (-5, 7), (7, 5), (-7, 5),
    (8, 4), (6, 7), (-6, 7), (7, 6), (-7, 6), (8, 5), (7, 7), (-7, 7), (8, 6), (8, 7),
];
