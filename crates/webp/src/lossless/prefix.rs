//! Prefix (Huffman) codes: the specification's section 6.2.

use super::bits::BitWriter;

/// The longest code, in bits; and the longest of the codes that describe code lengths.
const LONGEST: u32 = 15;
const LONGEST_OF_LENGTHS: u32 = 7;

/// The order in which the lengths of the codes of lengths are stored.
const LENGTH_ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// A code for some symbols.
pub struct PrefixCode {
    lengths: Vec<u8>,
    /// The codes, the first bit lowest.
    codes: Vec<u16>,
}

impl PrefixCode {
    /// The best code for symbols that occur so often.
    pub fn new(counts: &[u32]) -> Self {
        Self::limited(counts, LONGEST)
    }

    fn limited(counts: &[u32], longest: u32) -> Self {
        let mut least = 1;
        // Rare symbols are taken for less rare until no code is too long.
        let lengths = loop {
            let lengths = lengths(counts, least);
            if lengths.iter().all(|&length| u32::from(length) <= longest) {
                break lengths;
            }
            least *= 2;
        };
        let codes = canonical(&lengths);
        Self { lengths, codes }
    }

    /// Writes a symbol. The only symbol of a code takes no bits.
    #[inline]
    pub fn put(&self, writer: &mut BitWriter, symbol: usize) {
        writer.put(u32::from(self.codes[symbol]), u32::from(self.lengths[symbol]));
    }

    /// Writes the code itself. Codes of one or two symbols below 256 have a short form.
    pub fn write(mut self, writer: &mut BitWriter) -> Self {
        let used: Vec<usize> = (0..self.lengths.len()).filter(|&symbol| self.lengths[symbol] > 0).take(3).collect();
        match used.as_slice() {
            [] => write_simple(writer, &[0]),
            [only] if *only < 256 => {
                write_simple(writer, &used);
                self.lengths[*only] = 0;
            }
            [_, second] if *second < 256 => write_simple(writer, &used),
            _ => self.write_normal(writer),
        }
        self
    }

    fn write_normal(&self, writer: &mut BitWriter) {
        let tokens = run_lengths(&self.lengths);
        let mut counts = [0; 19];
        tokens.iter().for_each(|&(symbol, _, _)| counts[symbol] += 1);
        let code = Self::limited(&counts, LONGEST_OF_LENGTHS);
        let stored = LENGTH_ORDER.iter().rposition(|&symbol| code.lengths[symbol] > 0).unwrap_or(0).max(3) + 1;
        writer.put(0, 1);
        writer.put(stored as u32 - 4, 4);
        for &symbol in &LENGTH_ORDER[..stored] {
            writer.put(u32::from(code.lengths[symbol]), 3);
        }
        // All symbols have a length.
        writer.put(0, 1);
        let is_single = counts.iter().filter(|&&count| count > 0).count() == 1;
        for (symbol, extra, bits) in tokens {
            if !is_single {
                code.put(writer, symbol);
            }
            writer.put(extra, bits);
        }
    }
}

fn write_simple(writer: &mut BitWriter, symbols: &[usize]) {
    writer.put(1, 1);
    writer.put(symbols.len() as u32 - 1, 1);
    let first = symbols[0] as u32;
    writer.put(u32::from(first > 1), 1);
    writer.put(first, if first > 1 { 8 } else { 1 });
    if let Some(&second) = symbols.get(1) {
        writer.put(second as u32, 8);
    }
}

/// Code lengths as symbols with extra bits: (symbol, extra bits, how many).
fn run_lengths(lengths: &[u8]) -> Vec<(usize, u32, u32)> {
    let mut tokens = Vec::new();
    let mut previous = 8;
    for run in lengths.chunk_by(|a, b| a == b) {
        let (length, mut left) = (run[0], run.len() as u32);
        if length > 0 && length != previous {
            tokens.push((usize::from(length), 0, 0));
            left -= 1;
        }
        while left > 0 {
            let (token, taken) = match (length, left) {
                (0, 11..) => ((18, left.min(138) - 11, 7), left.min(138)),
                (0, 3..) => ((17, left.min(10) - 3, 3), left.min(10)),
                (1.., 3..) => ((16, left.min(6) - 3, 2), left.min(6)),
                _ => ((usize::from(length), 0, 0), 1),
            };
            tokens.push(token);
            left -= taken;
        }
        if length > 0 {
            previous = length;
        }
    }
    tokens
}

/// The lengths of the codes, each count taken for at least `least`. A single symbol has length 1.
fn lengths(counts: &[u32], least: u32) -> Vec<u8> {
    let mut leaves: Vec<(u64, usize)> = counts
        .iter()
        .enumerate()
        .filter(|&(_, &count)| count > 0)
        .map(|(symbol, &count)| (u64::from(count.max(least)), symbol))
        .collect();
    leaves.sort_unstable();
    let mut lengths = vec![0; counts.len()];
    if let [(_, only)] = leaves.as_slice() {
        lengths[*only] = 1;
        return lengths;
    }
    for ((_, symbol), depth) in leaves.iter().zip(depths(&leaves)) {
        lengths[*symbol] = depth;
    }
    lengths
}

/// The depth of each leaf: the two lightest trees are joined until one is left. Joined trees come out in order of
/// weight, so that two queues will do.
fn depths(leaves: &[(u64, usize)]) -> Vec<u8> {
    let n = leaves.len();
    let mut weights: Vec<u64> = leaves.iter().map(|&(weight, _)| weight).collect();
    let mut parents = vec![0; (2 * n).saturating_sub(1)];
    let (mut leaf, mut joined) = (0, n);
    while weights.len() + 1 < 2 * n {
        let mut weight = 0;
        for _ in 0..2 {
            let takes_leaf = leaf < n && (joined >= weights.len() || weights[leaf] <= weights[joined]);
            let lightest = if takes_leaf { &mut leaf } else { &mut joined };
            weight += weights[*lightest];
            parents[*lightest] = weights.len();
            *lightest += 1;
        }
        weights.push(weight);
    }
    let mut depths = vec![0u8; weights.len()];
    for node in (0..weights.len().saturating_sub(1)).rev() {
        depths[node] = depths[parents[node]].saturating_add(1);
    }
    depths.truncate(n);
    depths
}

/// The codes that follow from the lengths, bits reversed.
fn canonical(lengths: &[u8]) -> Vec<u16> {
    let mut codes = vec![0; lengths.len()];
    let mut code = 0u32;
    for length in 1..=LONGEST as u8 {
        for (symbol, _) in lengths.iter().enumerate().filter(|&(_, &l)| l == length) {
            codes[symbol] = (code as u16).reverse_bits() >> (16 - length);
            code += 1;
        }
        code <<= 1;
    }
    codes
}
