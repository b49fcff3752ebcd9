//! Ink: which colours in sRGB a profile says that amounts of cyan, magenta, yellow and black have.
//!
//! The colour library reads the profile and checks it; its tables are evaluated here, pixel by pixel. The library would
//! bring colours to eight bits of sRGB before black could be put where it belongs, by way of a grid that is coarser than
//! many a profile's own, and takes the numbers of some tables for those of another version of the format.
//! What is done instead is what Little CMS does when it is asked for the exact way (perceptual, to an sRGB of version 4).

use moxcms::{
    ColorProfile, DataColorSpace, LutDataType, LutMultidimensionalType, LutStore, LutType, LutWarehouse,
    ParametricCurve, ProfileVersion, ToneReprCurve,
};
use std::array;

/// The colours of a profile's inks.
pub(super) struct Inks {
    grid: Grid,
    /// Where in the grid each amount of each ink lies.
    places: [[Place; 256]; 4],
    /// Curves and a matrix after the grid, which newer tables may have.
    mixing: Option<Mixing>,
    /// A curve for each number of the connection space, last in all tables.
    finish: [Curve; 3],
    connection: Connection,
    /// The light of what becomes black, where paper has 1.
    black: f32,
    /// The code of sRGB for each of 65,536 amounts of light.
    codes: Vec<u8>,
}

/// The space that the tables lead to, as numbers from 0 to 1.
#[derive(Clone, Copy)]
enum Connection {
    /// Lightness of 100 and what is 255 above -128 are the number given: 1, or a bit less in older tables of 16 bits.
    Lab(f32),
    Xyz,
}

/// In Lab of 16 bits before version 4, and in tables of that kind since, 0xFF00 is what 0xFFFF is elsewhere.
const OLDER_LAB_16: f32 = 65_280.0 / 65_535.0;

/// Of the numbers for XYZ, 0x8000 is 1.
const XYZ_RANGE: f32 = 65_535.0 / 32_768.0;

/// XYZ of white, to which everything in a profile is related.
const WHITE: [f32; 3] = [0.9642, 1.0, 0.8249];

/// The black of all perceptual tables since version 4, by the specification, as a share of the light of white.
const PERCEPTUAL_BLACK: f32 = 0.003_473_1;

/// The lightest that is believed to be a black, and from where on all ink is no black at all: 50 and 95 in lightness.
const LIGHTEST_BLACK: f32 = 0.184_19;
const NO_BLACK: f32 = 0.876_16;

/// From XYZ, as shares of white, to light of red, green and blue: the inverse of the colorants in sRGB's profile.
const TO_SRGB: [[f32; 3]; 3] =
    [[3.021_74, -1.616_948, -0.404_792], [-0.943_417, 1.915_876, 0.027_541], [0.069_447, -0.229_031, 1.159_584]];

impl Inks {
    /// The inks of `profile`; `None` where it cannot be read, or is not one of inks.
    pub(super) fn read(profile: &[u8]) -> Option<Self> {
        let mut profile = ColorProfile::new_from_slice(profile).ok()?;
        if profile.color_space != DataColorSpace::Cmyk {
            return None;
        }
        let is_fixed = profile.version() >= ProfileVersion::V4_0 && profile.lut_a_to_b_perceptual.is_some();
        let perceptual = profile.lut_a_to_b_perceptual.take();
        let tables = perceptual.or(profile.lut_a_to_b_colorimetric.take()).or(profile.lut_a_to_b_saturation.take())?;
        let mut inks = match tables {
            LutWarehouse::Lut(tables) => Self::of_older(tables, profile.pcs)?,
            LutWarehouse::Multidimensional(tables) => Self::of_newer(tables, profile.pcs)?,
        };
        inks.black = if is_fixed { PERCEPTUAL_BLACK } else { inks.darkest() };
        Some(inks)
    }

    /// The tables called `mft1` and `mft2`: curves, grid, curves. Their matrix is for other spaces.
    fn of_older(tables: LutDataType, pcs: DataColorSpace) -> Option<Self> {
        if (tables.num_input_channels, tables.num_output_channels) != (4, 3) {
            return None;
        }
        let curves = Curve::all_of(&tables.input_table, tables.num_input_table_entries)?;
        let finish = Curve::all_of(&tables.output_table, tables.num_output_table_entries)?;
        let grid = Grid::new(&tables.clut_table, [tables.num_clut_grid_points; 4])?;
        let full = if tables.lut_type == LutType::Lut16 { OLDER_LAB_16 } else { 1.0 };
        Self::new(grid, &curves, None, finish, Connection::new(pcs, full)?)
    }

    /// The table called `mAB `: curves, grid, curves, matrix, curves.
    fn of_newer(tables: LutMultidimensionalType, pcs: DataColorSpace) -> Option<Self> {
        if (tables.num_input_channels, tables.num_output_channels) != (4, 3) {
            return None;
        }
        let [a, b, c, d, ..] = tables.grid_points;
        let grid = Grid::new(&tables.clut?, [a, b, c, d])?;
        let mixing = match &tables.m_curves[..] {
            [] => None,
            curves => Some(Mixing {
                curves: Curve::all(curves)?,
                matrix: tables.matrix.v.map(|row| row.map(|factor| factor as f32)),
                bias: tables.bias.v.map(|value| value as f32),
            }),
        };
        let (curves, finish) = (Curve::all(&tables.a_curves)?, Curve::all(&tables.b_curves)?);
        Self::new(grid, &curves, mixing, finish, Connection::new(pcs, 1.0)?)
    }

    fn new(
        grid: Grid,
        curves: &[Curve; 4],
        mixing: Option<Mixing>,
        finish: [Curve; 3],
        connection: Connection,
    ) -> Option<Self> {
        let places =
            array::from_fn(|ink| array::from_fn(|amount| grid.place(ink, curves[ink].at(amount as f32 / 255.0))));
        Some(Self { grid, places, mixing, finish, connection, black: 0.0, codes: srgb_codes() })
    }

    /// The colour of a mixture: red, green, blue.
    pub(super) fn color(&self, inks: [u8; 4]) -> [u8; 3] {
        let xyz = self.xyz(inks);
        TO_SRGB.map(|row| {
            // Each row adds up to one, so that black can be taken off here as well as before.
            let light = row[0] * xyz[0] + row[1] * xyz[1] + row[2] * xyz[2];
            self.codes[(unit((light - self.black) / (1.0 - self.black)) * 65_535.0 + 0.5) as usize]
        })
    }

    /// The light of all inks one over the other, as that of a gray.
    fn darkest(&self) -> f32 {
        let light = self.xyz([255; 4])[1];
        if light > NO_BLACK { 0.0 } else { unit(light).min(LIGHTEST_BLACK) }
    }

    /// XYZ as shares of that of white.
    fn xyz(&self, inks: [u8; 4]) -> [f32; 3] {
        let mixed = self.grid.between(array::from_fn(|ink| self.places[ink][usize::from(inks[ink])]));
        let mixed = self.mixing.as_ref().map_or(mixed, |mixing| mixing.apply(mixed));
        let found: [f32; 3] = array::from_fn(|i| self.finish[i].at(mixed[i]));
        match self.connection {
            Connection::Xyz => array::from_fn(|i| found[i] * XYZ_RANGE / WHITE[i]),
            Connection::Lab(full) => {
                let [lightness, a, b] = found.map(|value| value / full);
                let y = (lightness * 100.0 + 16.0) / 116.0;
                [y + (a * 255.0 - 128.0) / 500.0, y, y - (b * 255.0 - 128.0) / 200.0].map(light_of)
            }
        }
    }
}

impl Connection {
    fn new(pcs: DataColorSpace, full: f32) -> Option<Self> {
        match pcs {
            DataColorSpace::Lab => Some(Self::Lab(full)),
            DataColorSpace::Xyz => Some(Self::Xyz),
            _ => None,
        }
    }
}

/// What Lab has the cube root of, and a straight line near black.
fn light_of(value: f32) -> f32 {
    if value > 24.0 / 116.0 { value * value * value } else { 108.0 / 841.0 * (value - 16.0 / 116.0) }
}

/// `value` from 0 to 1; 0 where it is no number.
fn unit(value: f32) -> f32 {
    if value > 0.0 { value.min(1.0) } else { 0.0 }
}

/// The nearest code of sRGB for each of 65,536 amounts of light.
fn srgb_codes() -> Vec<u8> {
    let mut codes = Vec::with_capacity(65_536);
    for code in 0..255_u8 {
        let value = (f64::from(code) + 0.5) / 255.0;
        let light = if value <= 0.040_45 { value / 12.92 } else { libm::pow((value + 0.055) / 1.055, 2.4) };
        codes.resize((light * 65_535.0) as usize + 1, code);
    }
    codes.resize(65_536, 255);
    codes
}

/// A curve from 0..=1: values at even distances, at least two.
struct Curve(Vec<f32>);

impl Curve {
    /// Values of a curve that is given as a formula.
    const N_SAMPLES: usize = 4096;

    /// `N` curves of `n_entries` values each, one after the other.
    fn all_of<const N: usize>(store: &LutStore, n_entries: u16) -> Option<[Self; N]> {
        let values: Vec<f32> = match store {
            LutStore::Store8(values) => values.iter().map(|value| f32::from(*value) / 255.0).collect(),
            LutStore::Store16(values) => values.iter().map(|value| f32::from(*value) / 65_535.0).collect(),
        };
        if n_entries < 2 || values.len() != N * usize::from(n_entries) {
            return None;
        }
        let curves: Vec<Self> = values.chunks_exact(n_entries.into()).map(|values| Self(values.to_vec())).collect();
        curves.try_into().ok()
    }

    /// The `N` curves, if there are as many.
    fn all<const N: usize>(curves: &[ToneReprCurve]) -> Option<[Self; N]> {
        let curves: Vec<Self> = curves.iter().map(Self::new).collect::<Option<_>>()?;
        curves.try_into().ok()
    }

    fn new(curve: &ToneReprCurve) -> Option<Self> {
        match curve {
            ToneReprCurve::Lut(values) => match values[..] {
                [] => Some(Self(vec![0.0, 1.0])),
                // A power, in 256ths.
                [power] => Self::of_formula(&[f32::from(power) / 256.0]),
                _ => Some(Self(values.iter().map(|value| f32::from(*value) / 65_535.0).collect())),
            },
            ToneReprCurve::Parametric(parameters) => Self::of_formula(parameters),
        }
    }

    fn of_formula(parameters: &[f32]) -> Option<Self> {
        // The library takes the first for granted.
        parameters.first()?;
        let formula = ParametricCurve::new(parameters)?;
        Some(Self((0..Self::N_SAMPLES).map(|i| formula.eval(i as f32 / (Self::N_SAMPLES - 1) as f32)).collect()))
    }

    fn at(&self, x: f32) -> f32 {
        let n_spans = self.0.len() - 1;
        let position = unit(x) * n_spans as f32;
        let span = (position as usize).min(n_spans - 1);
        let (before, after) = (self.0[span], self.0[span + 1]);
        before + (after - before) * (position - span as f32)
    }
}

/// What lies between the grid and the last curves.
struct Mixing {
    curves: [Curve; 3],
    matrix: [[f32; 3]; 3],
    bias: [f32; 3],
}

impl Mixing {
    fn apply(&self, values: [f32; 3]) -> [f32; 3] {
        let [x, y, z]: [f32; 3] = array::from_fn(|i| self.curves[i].at(values[i]));
        array::from_fn(|i| {
            let row = self.matrix[i];
            row[0] * x + row[1] * y + row[2] * z + self.bias[i]
        })
    }
}

/// Colours of some mixtures of ink, at even distances.
struct Grid {
    nodes: Vec<[u16; 3]>,
    /// Nodes for each ink, at least two.
    sides: [u8; 4],
    /// How many nodes the next amount of each ink is away.
    steps: [usize; 4],
}

/// An amount of one ink: between the node `first` (counted from none of this ink) and the next.
#[derive(Clone, Copy)]
struct Place {
    first: u32,
    /// From 0, at the first, to 1, at the next.
    share: f32,
}

impl Grid {
    fn new(store: &LutStore, sides: [u8; 4]) -> Option<Self> {
        let nodes: Vec<[u16; 3]> = match store {
            LutStore::Store8(values) => {
                values.as_chunks::<3>().0.iter().map(|node| node.map(|value| u16::from(value) * 257)).collect()
            }
            LutStore::Store16(values) => values.as_chunks::<3>().0.to_vec(),
        };
        let [_, b, c, d] = sides.map(usize::from);
        // No overflow: 255 to the fourth is less than 32 bits hold.
        let n_nodes: usize = sides.iter().map(|side| usize::from(*side)).product();
        let is_sound = sides.iter().all(|side| *side >= 2) && nodes.len() == n_nodes;
        is_sound.then_some(Self { nodes, sides, steps: [b * c * d, c * d, d, 1] })
    }

    /// The place of `amount`, from 0 to 1, of the ink with the number `ink`.
    fn place(&self, ink: usize, amount: f32) -> Place {
        let n_spans = usize::from(self.sides[ink]) - 1;
        let position = unit(amount) * n_spans as f32;
        let span = (position as usize).min(n_spans - 1);
        Place { first: (span * self.steps[ink]) as u32, share: position - span as f32 }
    }

    /// The colour between nodes, each number from 0 to 1: straight from one amount of cyan to the next, and for each by
    /// the tetrahedron of magenta, yellow and black that the mixture lies in. No other way is more right by the
    /// specification, but this is Little CMS's.
    fn between(&self, [cyan, magenta, yellow, black]: [Place; 4]) -> [f32; 3] {
        let mut sides = [(magenta.share, self.steps[1]), (yellow.share, self.steps[2]), (black.share, self.steps[3])];
        sides.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let [(first, a), (second, b), (third, c)] = sides;
        let weights = [1.0 - first, first - second, second - third, third];
        let tetrahedron = |corner: usize| -> [f32; 3] {
            let nodes = [corner, corner + a, corner + a + b, corner + a + b + c].map(|node| self.nodes[node]);
            array::from_fn(|i| (0..4).map(|corner| weights[corner] * f32::from(nodes[corner][i])).sum())
        };
        let corner = (cyan.first + magenta.first + yellow.first + black.first) as usize;
        let (before, after) = (tetrahedron(corner), tetrahedron(corner + self.steps[0]));
        array::from_fn(|i| (before[i] + (after[i] - before[i]) * cyan.share) / 65_535.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The profiles of `fixtures/ink.py`.
    const PROFILES: [(&str, &[u8]); 5] = [
        ("ink_lut16_v2", include_bytes!("fixtures/ink_lut16_v2.icc")),
        ("ink_lut16_v4", include_bytes!("fixtures/ink_lut16_v4.icc")),
        ("ink_lut8_v2", include_bytes!("fixtures/ink_lut8_v2.icc")),
        ("ink_lut16_xyz", include_bytes!("fixtures/ink_lut16_xyz.icc")),
        ("ink_lutab_v4", include_bytes!("fixtures/ink_lutab_v4.icc")),
    ];

    /// Where the tables begin, and after what: the header, three tags, a text and a white point.
    const TABLES: usize = 128 + 4 + 3 * 12 + 24 + 20;

    /// The colour in sRGB that the profile `name` is to have for `inks`.
    fn check(name: &str, inks: [u8; 4], expected: [u8; 3]) {
        let (_, profile) = PROFILES.iter().find(|(found, _)| *found == name).unwrap();
        let found = Inks::read(profile).unwrap().color(inks);
        let is_close = found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 1);
        assert!(is_close, "{name}, {inks:?}: {found:?} for {expected:?}");
    }

    #[test]
    fn colours_are_those_of_little_cms() {
        let lines = include_str!("fixtures/ink.txt").lines();
        for line in lines.clone() {
            let (name, numbers) = line.split_once(' ').unwrap();
            let numbers: Vec<u8> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
            let [c, m, y, k, red, green, blue] = numbers[..] else { panic!("not a case: {line}") };
            check(name, [c, m, y, k], [red, green, blue]);
        }
        assert_eq!(lines.count(), PROFILES.len() * 32);
    }

    #[test]
    fn black_is_moved_to_where_the_profile_has_it() {
        let black_of = |name: &str| {
            let (_, profile) = PROFILES.iter().find(|(found, _)| *found == name).unwrap();
            let inks = Inks::read(profile).unwrap();
            (inks.black, inks.darkest())
        };
        for name in ["ink_lut16_v2", "ink_lut8_v2", "ink_lut16_xyz"] {
            let (black, darkest) = black_of(name);
            assert!(black == darkest && (0.001..0.02).contains(&black), "{name}: {black}");
        }
        // Since version 4 it is the same for all.
        for name in ["ink_lut16_v4", "ink_lutab_v4"] {
            assert_eq!(black_of(name).0, PERCEPTUAL_BLACK, "{name}");
        }
    }

    #[test]
    fn tables_for_another_intent_serve_where_there_is_no_perceptual_one() {
        let mut profile = PROFILES[1].1.to_vec();
        let name = profile.windows(4).position(|bytes| bytes == b"A2B0").unwrap();
        for other in [b"A2B1", b"A2B2"] {
            profile[name..name + 4].copy_from_slice(other);
            let inks = Inks::read(&profile).unwrap();
            // The fixed black is that of perceptual tables.
            assert_eq!((inks.color([0; 4]), inks.black), ([255; 3], inks.darkest()));
        }
        profile[name..name + 4].copy_from_slice(b"B2A0");
        assert!(Inks::read(&profile).is_none());
    }

    #[test]
    fn colours_of_light_are_found_to_the_nearest_code() {
        let codes = srgb_codes();
        assert_eq!((codes.len(), codes[0], codes[65_535]), (65_536, 0, 255));
        assert!(codes.is_sorted());
        // Half the light is 187.5, a fifth is 123.5, a hundredth 25.5: the values by the formula are 187.52, 123.55, 25.54.
        assert_eq!((codes[32_768], codes[13_107], codes[655]), (188, 124, 25));
    }

    #[test]
    fn broken_profiles_of_inks_are_refused_or_have_colours() {
        for (name, profile) in PROFILES {
            let colors = |profile: &[u8]| {
                let inks = Inks::read(profile)?;
                Some([0, 1, 128, 254, 255].map(|amount| inks.color([amount, 255 - amount, amount, 128])))
            };
            assert!(colors(profile).is_some());
            assert!(colors(&profile[..profile.len() - 16]).is_none(), "{name}, cut");
            let n_refused = (0..TABLES + 120).flat_map(|at| [0, 3, 0xFF].map(|value| (at, value)));
            let n_refused = n_refused.filter(|(at, value)| {
                let mut broken = profile.to_vec();
                broken[*at] = *value;
                colors(&broken).is_none()
            });
            assert!(n_refused.count() > 50, "{name}");
        }
    }

    #[test]
    fn grids_that_are_not_as_large_as_they_say_are_refused() {
        let grid = |n_nodes: usize, sides| Grid::new(&LutStore::Store8(vec![0; n_nodes * 3]), sides);
        assert!(grid(16, [2; 4]).is_some());
        assert!(grid(2 * 3 * 4 * 5, [2, 3, 4, 5]).is_some());
        for (n_nodes, sides) in [(15, [2; 4]), (17, [2; 4]), (8, [2, 2, 2, 1]), (0, [2, 2, 2, 0]), (16, [255; 4])] {
            assert!(grid(n_nodes, sides).is_none(), "{n_nodes} for {sides:?}");
        }
    }

    #[test]
    fn curves_stay_within_their_values() {
        let curve = |curve: ToneReprCurve| Curve::new(&curve).unwrap();
        let table = curve(ToneReprCurve::Lut(vec![0, 65_535, 32_768]));
        let found = [f32::NAN, -1.0, 0.0, 0.25, 0.5, 1.0, 7.0].map(|x| table.at(x));
        let half = 32_768.0 / 65_535.0;
        assert_eq!(found, [0.0, 0.0, 0.0, 0.5, 1.0, half, half]);
        assert_eq!(curve(ToneReprCurve::Lut(vec![])).at(0.25), 0.25);
        for power in [ToneReprCurve::Lut(vec![512]), ToneReprCurve::Parametric(vec![2.0])] {
            assert!((curve(power).at(0.5) - 0.25).abs() < 1e-4);
        }
        assert!(Curve::new(&ToneReprCurve::Parametric(vec![])).is_none());
    }
}
