//! Files that come coarse first: libjpeg's order of scans, each in codes that are fitted to it.

use super::codes::{BitWriter, codes_of, fitted_table};
use super::{Chroma, Encoder, header};

/// A scan of means, of all channels, or of a band of one channel: first and last coefficient, bits before and after.
type Step = (Option<usize>, (u8, u8), (u8, u8));

const COLOR_STEPS: [Step; 10] = [
    (None, (0, 0), (0, 1)),
    (Some(0), (1, 5), (0, 2)),
    (Some(2), (1, 63), (0, 1)),
    (Some(1), (1, 63), (0, 1)),
    (Some(0), (6, 63), (0, 2)),
    (Some(0), (1, 63), (2, 1)),
    (None, (0, 0), (1, 0)),
    (Some(2), (1, 63), (1, 0)),
    (Some(1), (1, 63), (1, 0)),
    (Some(0), (1, 63), (1, 0)),
];

const GRAY_STEPS: [Step; 6] = [
    (None, (0, 0), (0, 1)),
    (Some(0), (1, 5), (0, 2)),
    (Some(0), (6, 63), (0, 2)),
    (Some(0), (1, 63), (2, 1)),
    (None, (0, 0), (1, 0)),
    (Some(0), (1, 63), (1, 0)),
];

/// The coefficients of a block, in zigzag order.
type Coefficients = [i16; 64];

/// All blocks of a channel, row by row.
struct Channel {
    blocks: Vec<Coefficients>,
    /// In whole units.
    padded_columns: usize,
    /// That the picture touches.
    n_columns: usize,
    n_rows: usize,
}

/// Appends the scans.
pub(super) fn encoded(encoder: &Encoder, mut file: Vec<u8>) -> Vec<u8> {
    let mut channels = channels(encoder);
    encoder.for_each_block(|channel_idx, (column, row), block| {
        let channel = &mut channels[channel_idx];
        let place = row * channel.padded_columns + column;
        channel.blocks[place] = block.in_order();
    });
    let steps = if channels.len() == 1 { &GRAY_STEPS[..] } else { &COLOR_STEPS };
    for (channel_idx, (start, end), bits) in steps {
        let mut tokens = Tokens::new(encoder.restart_interval);
        let scanned = match channel_idx {
            None => {
                means(encoder, &channels, *bits, &mut tokens);
                &[0, 1, 2][..channels.len()]
            }
            Some(channel_idx) => {
                tokens.table = *channel_idx.min(&1) as u8;
                band(&channels[*channel_idx], usize::from(*start)..usize::from(*end) + 1, *bits, &mut tokens);
                &[0, 1, 2][*channel_idx..=*channel_idx]
            }
        };
        let class = if channel_idx.is_none() { 0 } else { 0x10 };
        file = tokens.written(file, class, |file| header::scan(file, scanned, (*start, *end), *bits));
    }
    file
}

fn channels(encoder: &Encoder) -> Vec<Channel> {
    let (width, height) = encoder.picture.size();
    let is_quarter = encoder.chroma == Chroma::Quarter;
    let unit = if is_quarter { 16 } else { 8 };
    let (unit_columns, unit_rows) = (width.div_ceil(unit), height.div_ceil(unit));
    let channel = |channel_idx: usize| {
        let is_finer = is_quarter && channel_idx == 0;
        let (side, factor) = if is_finer || !is_quarter { (8, unit / 8) } else { (unit, 1) };
        let blocks = vec![[0; 64]; unit_columns * unit_rows * factor * factor];
        let (n_columns, n_rows) = (width.div_ceil(side), height.div_ceil(side));
        Channel { blocks, padded_columns: unit_columns * factor, n_columns, n_rows }
    };
    (0..encoder.picture.n_channels()).map(channel).collect()
}

/// What a scan is written of.
#[derive(Debug, Clone, Copy)]
enum Token {
    /// A value that has a code, of the first or the second table, and bits after it.
    Symbol { table: u8, value: u8, bits: u16, n_bits: u8 },
    /// A bit as it is.
    Bit(bool),
    /// A restart after the interval of this number.
    Restart(u16),
}

struct Tokens {
    tokens: Vec<Token>,
    /// The table in whose codes the next symbols are written.
    table: u8,
    unit_idx: usize,
    restart_interval: usize,
}

impl Tokens {
    fn new(restart_interval: usize) -> Self {
        Self { tokens: Vec::new(), table: 0, unit_idx: 0, restart_interval }
    }

    /// A value with the number after it, of which `value` says the length.
    fn symbol(&mut self, value: u8, (bits, n_bits): (u16, u8)) {
        self.tokens.push(Token::Symbol { table: self.table, value, bits, n_bits });
    }

    /// Whether the unit that begins is the first one of a new interval.
    fn starts_interval(&mut self) -> bool {
        let unit_idx = self.unit_idx;
        self.unit_idx += 1;
        self.restart_interval > 0 && unit_idx > 0 && unit_idx.is_multiple_of(self.restart_interval)
    }

    /// Ends an interval. Call it after [`Tokens::starts_interval`], and after all that belongs to the last one.
    fn restart(&mut self) {
        let interval_idx = (self.unit_idx - 1) / self.restart_interval - 1;
        self.tokens.push(Token::Restart((interval_idx % 8) as u16));
    }

    /// Appends the tables that the tokens need, what `write_header` does, and the tokens.
    fn written(&self, mut file: Vec<u8>, class: u8, write_header: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut counts = [[0; 256]; 2];
        for token in &self.tokens {
            if let Token::Symbol { table, value, .. } = token {
                counts[usize::from(*table)][usize::from(*value)] += 1;
            }
        }
        let tables = counts.each_ref().map(fitted_table);
        for (table_idx, table) in (0..).zip(&tables) {
            if !table.values.is_empty() {
                header::codes(&mut file, class | table_idx, table);
            }
        }
        write_header(&mut file);
        let codes = tables.each_ref().map(codes_of);
        let mut writer = BitWriter::new(file);
        for token in &self.tokens {
            match *token {
                Token::Symbol { table, value, bits, n_bits } => {
                    let (code, n_code_bits) = codes[usize::from(table)][usize::from(value)];
                    writer.put((code << n_bits | u32::from(bits), n_code_bits + u32::from(n_bits)));
                }
                Token::Bit(bit) => writer.put((bit.into(), 1)),
                Token::Restart(interval_idx) => writer.restart(interval_idx.into()),
            }
        }
        writer.finish()
    }
}

/// The bits of a number and how many there are: a negative one is written as one less, without the bits above.
fn number(number: i32) -> (u16, u8) {
    let n_bits = 32 - number.unsigned_abs().leading_zeros();
    (((number + (number >> 31)) as u32 & ((1 << n_bits) - 1)) as u16, n_bits as u8)
}

/// The means of all channels, unit by unit.
fn means(encoder: &Encoder, channels: &[Channel], (high, low): (u8, u8), tokens: &mut Tokens) {
    let mut last = [0; 3];
    // A scan of one component goes by blocks, the others by units, of which a channel has one block or four.
    let factor_of = |channel_idx: usize| if encoder.chroma == Chroma::Quarter && channel_idx == 0 { 2 } else { 1 };
    let coarsest = &channels[channels.len() - 1];
    for row in 0..coarsest.n_rows {
        for column in 0..coarsest.n_columns {
            if tokens.starts_interval() {
                tokens.restart();
                last = [0; 3];
            }
            for (channel_idx, channel) in channels.iter().enumerate() {
                let factor = factor_of(channel_idx);
                tokens.table = channel_idx.min(1) as u8;
                for place in 0..factor * factor {
                    let (x, y) = (column * factor + place % factor, row * factor + place / factor);
                    let mean = i32::from(channel.blocks[y * channel.padded_columns + x][0]) >> low;
                    if high > 0 {
                        tokens.tokens.push(Token::Bit(mean & 1 != 0));
                        continue;
                    }
                    let (bits, n_bits) = number(mean - last[channel_idx]);
                    last[channel_idx] = mean;
                    tokens.symbol(n_bits, (bits, n_bits));
                }
            }
        }
    }
}

/// Blocks that have nothing more of a band, and the bits of their coefficients that had something before.
#[derive(Default)]
struct Empty {
    n_blocks: u16,
    bits: Vec<bool>,
}

/// Most blocks that one symbol can end.
const MAX_EMPTY: u16 = 0x7FFF;

impl Empty {
    fn flush(&mut self, tokens: &mut Tokens) {
        if self.n_blocks > 0 {
            let n_bits = self.n_blocks.ilog2() as u8;
            tokens.symbol(n_bits << 4, (self.n_blocks & !(1 << n_bits), n_bits));
            self.n_blocks = 0;
        }
        tokens.tokens.extend(self.bits.drain(..).map(Token::Bit));
    }
}

/// A band of a channel's coefficients.
fn band(channel: &Channel, range: std::ops::Range<usize>, (high, low): (u8, u8), tokens: &mut Tokens) {
    let mut empty = Empty::default();
    for row in 0..channel.n_rows {
        for column in 0..channel.n_columns {
            if tokens.starts_interval() {
                empty.flush(tokens);
                tokens.restart();
            }
            let coefficients = &channel.blocks[row * channel.padded_columns + column][range.clone()];
            let is_empty = match high {
                0 => first_bits(coefficients, low, &mut empty, tokens),
                _ => next_bit(coefficients, low, &mut empty, tokens),
            };
            if is_empty {
                empty.n_blocks += 1;
                if empty.n_blocks == MAX_EMPTY {
                    empty.flush(tokens);
                }
            }
        }
    }
    empty.flush(tokens);
}

/// The coefficients of a band, without their last `low` bits. Whether the block ends before the band does.
fn first_bits(coefficients: &[i16], low: u8, empty: &mut Empty, tokens: &mut Tokens) -> bool {
    let mut n_zeros = 0_u8;
    for coefficient in coefficients {
        let magnitude = i32::from(coefficient.unsigned_abs() >> low);
        if magnitude == 0 {
            n_zeros += 1;
            continue;
        }
        empty.flush(tokens);
        while n_zeros > 15 {
            tokens.symbol(0xF0, (0, 0));
            n_zeros -= 16;
        }
        let (bits, n_bits) = number(if *coefficient < 0 { -magnitude } else { magnitude });
        tokens.symbol(n_zeros << 4 | n_bits, (bits, n_bits));
        n_zeros = 0;
    }
    n_zeros > 0
}

/// One more bit of the coefficients of a band. Whether the block ends before the band does.
fn next_bit(coefficients: &[i16], low: u8, empty: &mut Empty, tokens: &mut Tokens) -> bool {
    let magnitude = |coefficient: &i16| coefficient.unsigned_abs() >> low;
    let n_to_last_new = coefficients.iter().rposition(|c| magnitude(c) == 1).map_or(0, |idx| idx + 1);
    let mut n_zeros = 0_u8;
    // Bits of coefficients that are not new, to be written after the next symbol.
    let mut bits = Vec::new();
    for (idx, coefficient) in coefficients.iter().enumerate() {
        let magnitude = magnitude(coefficient);
        if magnitude == 0 {
            n_zeros += 1;
            continue;
        }
        while n_zeros > 15 && idx < n_to_last_new {
            empty.flush(tokens);
            tokens.symbol(0xF0, (0, 0));
            tokens.tokens.extend(bits.drain(..).map(Token::Bit));
            n_zeros -= 16;
        }
        if magnitude > 1 {
            bits.push(magnitude & 1 != 0);
            continue;
        }
        empty.flush(tokens);
        tokens.symbol(n_zeros << 4 | 1, (u16::from(*coefficient > 0), 1));
        tokens.tokens.extend(bits.drain(..).map(Token::Bit));
        n_zeros = 0;
    }
    let is_empty = n_zeros > 0 || !bits.is_empty();
    empty.bits.append(&mut bits);
    is_empty
}
