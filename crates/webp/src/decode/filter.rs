//! The loop filter, which smooths the edges of blocks: RFC 6386, section 15.

use crate::simd::U8x16;
use crate::yuv::Planes;

/// Which filter a frame has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// None.
    None,
    /// That of luma alone.
    Simple,
    /// The usual one.
    Normal,
}

/// How much is filtered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Strength {
    /// The edge limit inside of a macroblock: what twice the step over the edge and half of the one next to it may add up
    /// to, to be filtered. Zero: nothing is.
    edge: u8,
    /// The interior limit: the largest step beside an edge that is filtered.
    interior: u8,
    /// The threshold of high edge variance: the largest step next to an edge that is not taken for a detail.
    detail: u8,
}

impl Strength {
    /// Of a level, before it is clamped to 0 to 63, and the sharpness, 0 to 7 (sections 9.4 and 15.2).
    pub fn new(level: i32, sharpness: u32) -> Self {
        let level = level.clamp(0, 63) as u8;
        if level == 0 {
            return Self::default();
        }
        let interior = match sharpness {
            0 => level,
            1..=4 => (level >> 1).min(9 - sharpness as u8),
            _ => (level >> 2).min(9 - sharpness as u8),
        };
        let interior = interior.max(1);
        let detail = match level {
            40.. => 2,
            15.. => 1,
            _ => 0,
        };
        Self { edge: 2 * level + interior, interior, detail }
    }
}

/// How a macroblock is filtered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filtering {
    /// How much.
    pub strength: Strength,
    /// Whether the edges of its blocks are, too.
    pub has_inner: bool,
}

/// What the edges of macroblocks allow more than those inside of them.
const OUTER: u8 = 4;

/// Filters a row of macroblocks; those above were filtered before, those below come after.
pub fn filter_row(planes: &mut Planes, row: usize, filter: Filter, filterings: &[Filtering]) {
    let (y_stride, chroma_stride) = (planes.y_stride(), planes.chroma_stride());
    let [cb, cr] = &mut planes.chroma;
    let mut luma = Luma { plane: &mut planes.y, stride: y_stride };
    let mut chroma = Chroma { planes: [cb, cr], stride: chroma_stride };
    for (column, filtering) in filterings.iter().enumerate() {
        let strength = filtering.strength;
        if strength.edge == 0 {
            continue;
        }
        let outer = Strength { edge: strength.edge + OUTER, ..strength };
        let (x, y) = (column * 16, row * 16);
        let (chroma_x, chroma_y) = (column * 8, row * 8);
        let inner: &[usize] = if filtering.has_inner { &[4, 8, 12] } else { &[] };
        match filter {
            Filter::None => return,
            Filter::Simple => {
                if column > 0 {
                    luma.across(x, y, |pixels| simple(pixels, &outer));
                }
                inner.iter().for_each(|at| luma.across(x + at, y, |pixels| simple(pixels, &strength)));
                if row > 0 {
                    luma.down(x, y, |pixels| simple(pixels, &outer));
                }
                inner.iter().for_each(|at| luma.down(x, y + at, |pixels| simple(pixels, &strength)));
            }
            Filter::Normal => {
                if column > 0 {
                    luma.across(x, y, |pixels| wide(pixels, &outer));
                    chroma.across(chroma_x, chroma_y, |pixels| wide(pixels, &outer));
                }
                inner.iter().for_each(|at| luma.across(x + at, y, |pixels| narrow(pixels, &strength)));
                if filtering.has_inner {
                    chroma.across(chroma_x + 4, chroma_y, |pixels| narrow(pixels, &strength));
                }
                if row > 0 {
                    luma.down(x, y, |pixels| wide(pixels, &outer));
                    chroma.down(chroma_x, chroma_y, |pixels| wide(pixels, &outer));
                }
                inner.iter().for_each(|at| luma.down(x, y + at, |pixels| narrow(pixels, &strength)));
                if filtering.has_inner {
                    chroma.down(chroma_x, chroma_y + 4, |pixels| narrow(pixels, &strength));
                }
            }
        }
    }
}

/// The pixels on both sides of an edge, sixteen lines that cross it side by side: four before it, four after it.
type Lines = [U8x16; 8];

struct Luma<'a> {
    plane: &'a mut [u8],
    stride: usize,
}

impl Luma<'_> {
    /// Filters over the vertical edge left of `x`, sixteen rows from `y` on.
    #[inline(always)]
    fn across(&mut self, x: usize, y: usize, filter: impl Fn(&mut Lines) -> bool) {
        let rows = &mut self.plane[y * self.stride..(y + 16) * self.stride];
        let mut eights = [[0; 8]; 16];
        for (eight, row) in eights.iter_mut().zip(rows.chunks_exact(self.stride)) {
            eight.copy_from_slice(&row[x - 4..x + 4]);
        }
        let mut lines = U8x16::columns(&eights);
        if filter(&mut lines) {
            let eights = U8x16::rows(&lines);
            for (eight, row) in eights.iter().zip(rows.chunks_exact_mut(self.stride)) {
                row[x - 4..x + 4].copy_from_slice(eight);
            }
        }
    }

    /// Filters over the horizontal edge above `y`, sixteen columns from `x` on.
    #[inline(always)]
    fn down(&mut self, x: usize, y: usize, filter: impl Fn(&mut Lines) -> bool) {
        let rows = &mut self.plane[(y - 4) * self.stride..(y + 4) * self.stride];
        let mut lines = [U8x16::splat(0); 8];
        for (line, row) in lines.iter_mut().zip(rows.chunks_exact(self.stride)) {
            if let Some(pixels) = row[x..].first_chunk() {
                *line = U8x16::load(pixels);
            }
        }
        if filter(&mut lines) {
            for (line, row) in lines[1..7].iter().zip(rows.chunks_exact_mut(self.stride).skip(1)) {
                row[x..x + 16].copy_from_slice(&line.to_array());
            }
        }
    }
}

/// Eight lines of each plane.
struct Chroma<'a> {
    planes: [&'a mut [u8]; 2],
    stride: usize,
}

impl Chroma<'_> {
    #[inline(always)]
    fn across(&mut self, x: usize, y: usize, filter: impl Fn(&mut Lines) -> bool) {
        let mut eights = [[0; 8]; 16];
        let (start, end) = (y * self.stride, (y + 8) * self.stride);
        for (plane, eights) in self.planes.iter().zip(eights.as_chunks_mut::<8>().0) {
            for (eight, row) in eights.iter_mut().zip(plane[start..end].chunks_exact(self.stride)) {
                eight.copy_from_slice(&row[x - 4..x + 4]);
            }
        }
        let mut lines = U8x16::columns(&eights);
        if filter(&mut lines) {
            let eights = U8x16::rows(&lines);
            for (plane, eights) in self.planes.iter_mut().zip(eights.as_chunks::<8>().0) {
                for (eight, row) in eights.iter().zip(plane[start..end].chunks_exact_mut(self.stride)) {
                    row[x - 4..x + 4].copy_from_slice(eight);
                }
            }
        }
    }

    #[inline(always)]
    fn down(&mut self, x: usize, y: usize, filter: impl Fn(&mut Lines) -> bool) {
        let (start, end) = ((y - 4) * self.stride, (y + 4) * self.stride);
        let [cb, cr] = &mut self.planes;
        let (cb, cr) = (&mut cb[start..end], &mut cr[start..end]);
        let mut lines = [U8x16::splat(0); 8];
        let rows = cb.chunks_exact(self.stride).zip(cr.chunks_exact(self.stride));
        for (line, (cb, cr)) in lines.iter_mut().zip(rows) {
            let mut pixels = [0; 16];
            pixels[..8].copy_from_slice(&cb[x..x + 8]);
            pixels[8..].copy_from_slice(&cr[x..x + 8]);
            *line = U8x16::load(&pixels);
        }
        if filter(&mut lines) {
            let rows = cb.chunks_exact_mut(self.stride).zip(cr.chunks_exact_mut(self.stride));
            for (line, (cb, cr)) in lines[1..7].iter().zip(rows.skip(1)) {
                let pixels = line.to_array();
                cb[x..x + 8].copy_from_slice(&pixels[..8]);
                cr[x..x + 8].copy_from_slice(&pixels[8..]);
            }
        }
    }
}

/// Which lines are within the edge limit (section 15.2).
#[inline(always)]
fn is_slight(lines: &Lines, edge: u8) -> U8x16 {
    let [_, _, p1, p0, q0, q1, _, _] = *lines;
    let over = p0.difference(q0);
    over.add(over).add(p1.difference(q1).shr::<1>()).at_most(U8x16::splat(edge))
}

/// Which lines are to be filtered, and which of them have a detail next to the edge (section 15.3).
#[inline(always)]
fn masks(lines: &Lines, strength: &Strength) -> (U8x16, U8x16) {
    let [p3, p2, p1, p0, q0, q1, q2, q3] = *lines;
    let beside = p1.difference(p0).max(q1.difference(q0));
    let detail = beside.at_most(U8x16::splat(strength.detail)).not();
    let all = beside.max(p3.difference(p2)).max(p2.difference(p1)).max(q3.difference(q2)).max(q2.difference(q1));
    (is_slight(lines, strength.edge).and(all.at_most(U8x16::splat(strength.interior))), detail)
}

/// An eighth of [`step`], as it is added to the pixel before the edge and taken from the one after it.
#[inline(always)]
fn adjustments(step: U8x16) -> (U8x16, U8x16) {
    (step.add_signed(U8x16::splat(3)).shr_signed::<3>(), step.add_signed(U8x16::splat(4)).shr_signed::<3>())
}

/// Three times the step over the edge, and `more`; all with signs.
#[inline(always)]
fn step(more: U8x16, p0: U8x16, q0: U8x16) -> U8x16 {
    let over = q0.sub_signed(p0);
    more.add_signed(over).add_signed(over).add_signed(over)
}

/// The simple filter (section 15.2). Gives whether anything may have changed, as the others do.
#[inline(always)]
fn simple(lines: &mut Lines, strength: &Strength) -> bool {
    let mask = is_slight(lines, strength.edge);
    if !mask.any() {
        return false;
    }
    let [p1, p0, q0, q1] = [2, 3, 4, 5].map(|i| lines[i].flip_sign());
    let (before, after) = adjustments(step(p1.sub_signed(q1), p0, q0).and(mask));
    lines[3] = p0.add_signed(before).flip_sign();
    lines[4] = q0.sub_signed(after).flip_sign();
    true
}

/// The subblock filter, of the edges inside of a macroblock (section 15.3).
#[inline(always)]
fn narrow(lines: &mut Lines, strength: &Strength) -> bool {
    let (mask, detail) = masks(lines, strength);
    if !mask.any() {
        return false;
    }
    let [p1, p0, q0, q1] = [2, 3, 4, 5].map(|i| lines[i].flip_sign());
    let (before, after) = adjustments(step(p1.sub_signed(q1).and(detail), p0, q0).and(mask));
    let outer = after.add_signed(U8x16::splat(1)).shr_signed::<1>().and(detail.not());
    lines[2] = p1.add_signed(outer).flip_sign();
    lines[3] = p0.add_signed(before).flip_sign();
    lines[4] = q0.sub_signed(after).flip_sign();
    lines[5] = q1.sub_signed(outer).flip_sign();
    true
}

/// The macroblock filter, of its own edges (section 15.3).
#[inline(always)]
fn wide(lines: &mut Lines, strength: &Strength) -> bool {
    let (mask, detail) = masks(lines, strength);
    if !mask.any() {
        return false;
    }
    let [p2, p1, p0, q0, q1, q2] = [1, 2, 3, 4, 5, 6].map(|i| lines[i].flip_sign());
    let step = step(p1.sub_signed(q1), p0, q0).and(mask);
    let (before, after) = adjustments(step.and(detail));
    let (p0, q0) = (p0.add_signed(before), q0.sub_signed(after));
    let [far, middle, near] = step.and(detail.not()).scaled_by_nines();
    lines[1] = p2.add_signed(far).flip_sign();
    lines[2] = p1.add_signed(middle).flip_sign();
    lines[3] = p0.add_signed(near).flip_sign();
    lines[4] = q0.sub_signed(near).flip_sign();
    lines[5] = q1.sub_signed(middle).flip_sign();
    lines[6] = q2.sub_signed(far).flip_sign();
    true
}
