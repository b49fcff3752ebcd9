//! Rungs: smaller copies of a picture, from which the sizes that are asked for are made.
//!
//! A rung is the whole picture, upright, in sRGB. The steps between rungs are those of a diagonal to a side, and a size
//! is made from one that is between 1.4 and two times as large: a fraction of the original to decode, and what its own
//! compression lost is gone after scaling. 720x588 from the rung of 1024 pixels scores 90.5 (SSIMULACRA2) against the
//! same from the original, from one of 1448 92.9; what sharp makes of the original by default scores 81. After JPEG at
//! quality 80 it is 77.4, 78.0 and 72.3, and 78.4 from the original (`functions/resize/benches/README.md`).

use transform::{Accept, Format, Plan, Source, Transform};

/// The longest sides of rungs, in pixels, the largest first: the mezzanine, then what serves results of up to 1034, 731,
/// 517, 365 and 258 pixels.
const LADDER: [u32; 6] = [MEZZANINE, 1448, 1024, 724, 512, 362];

/// The longest side of the mezzanine, the master of everything that is not larger itself, in pixels.
const MEZZANINE: u32 = 2048;

/// The sizes of the rungs of a picture of `width` by `height` pixels, the largest first. Those that would not be at
/// least a fifth smaller than the picture are left out: the original serves as well.
pub fn rung_sizes(width: u32, height: u32) -> Vec<(u32, u32)> {
    let longest = u64::from(width.max(height));
    let worthwhile = LADDER.into_iter().filter(|side| u64::from(*side) * 5 <= longest * 4);
    worthwhile.filter_map(|side| size_inside(side, width, height)).collect()
}

/// The size of the picture with its longest side at `side`; rounded as a request for it would be, so that it can be
/// answered from the rung as it is.
fn size_inside(side: u32, width: u32, height: u32) -> Option<(u32, u32)> {
    let transform: Transform = format!("w={side},h={side}").parse().ok()?;
    let source = Source::still(width, height, Format::Png, false);
    match Plan::resolve(&transform, &source, Accept::default()) {
        Ok(Plan::Render(render)) => render.source_size(),
        Ok(Plan::Original) | Err(_) => None,
    }
}

/// Which of the `rungs` (widths and heights in pixels, in any order) to carry `plan` out from; `None` for the
/// original.
///
/// The smallest that is at least 1.4 times as large, both ways, as the plan scales the whole picture to. Where none is,
/// the mezzanine, if it need not be enlarged: an original that has one is too large to decode on a request.
pub fn pick_rung(plan: &Plan, rungs: &[(u32, u32)]) -> Option<usize> {
    let Plan::Render(render) = plan else { return None };
    let (width, height) = render.source_size()?;
    // One pixel of tolerance, because the sides of both were rounded.
    let is_ample = |rung: u32, side: u32| 10 * (u64::from(rung) + 1) >= 14 * u64::from(side);
    let are_ample =
        |(rung_width, rung_height): (u32, u32)| is_ample(rung_width, width) && is_ample(rung_height, height);
    let area = |rung_idx: &usize| u64::from(rungs[*rung_idx].0) * u64::from(rungs[*rung_idx].1);
    let ample = (0..rungs.len()).filter(|rung_idx| are_ample(rungs[*rung_idx])).min_by_key(area);
    ample.or_else(|| {
        let is_mezzanine = |(width, height): (u32, u32)| width.max(height) == MEZZANINE;
        let is_enough = |(rung_width, rung_height): (u32, u32)| rung_width >= width && rung_height >= height;
        (0..rungs.len()).find(|rung_idx| is_mezzanine(rungs[*rung_idx]) && is_enough(rungs[*rung_idx]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_are_smaller_than_the_picture() {
        let check = |(width, height): (u32, u32), expected: &[(u32, u32)]| {
            assert_eq!(rung_sizes(width, height), expected, "{width}x{height}");
        };
        check((2725, 2225), &[(2048, 1672), (1448, 1182), (1024, 836), (724, 591), (512, 418), (362, 296)]);
        check((4000, 6000), &[(1365, 2048), (965, 1448), (683, 1024), (483, 724), (341, 512), (241, 362)]);
        check((2400, 1800), &[(1448, 1086), (1024, 768), (724, 543), (512, 384), (362, 272)]);
        check((640, 480), &[(512, 384), (362, 272)]);
        check((639, 480), &[(362, 272)]);
        check((452, 339), &[]);
        check((1, 1), &[]);
        check((10_000, 1), &[(2048, 1), (1448, 1), (1024, 1), (724, 1), (512, 1), (362, 1)]);
    }

    #[test]
    fn the_smallest_rung_that_is_ample_is_picked() {
        let source = Source::still(2725, 2225, Format::Jpeg, false);
        let rungs = rung_sizes(source.width, source.height);
        let check = |options: &str, expected: Option<u32>| {
            let plan = Plan::resolve(&options.parse().unwrap(), &source, Accept::default()).unwrap();
            let picked = pick_rung(&plan, &rungs).map(|rung_idx| rungs[rung_idx].0);
            assert_eq!(picked, expected, "{options}");
        };
        check("w=100", Some(362));
        check("w=258", Some(362));
        check("w=260", Some(512));
        check("w=513", Some(724));
        check("w=720", Some(1024));
        check("h=588", Some(1024));
        check("w=733", Some(1448));
        check("w=1100", Some(2048));
        check("w=2048", Some(2048));
        check("w=2049", None);
        check("f=png", None);
        check("w=300,h=300,fit=cover", Some(724));
        check("w=300,h=1000,fit=fill", Some(2048));
        check("w=400,rotate=90", Some(724));
        assert_eq!(pick_rung(&Plan::Original, &rungs), None);
        assert_eq!(pick_rung(&Plan::Original, &[]), None);
    }

    #[test]
    fn a_picture_without_mezzanine_is_its_own() {
        let source = Source::still(2400, 1800, Format::Jpeg, false);
        let rungs = rung_sizes(source.width, source.height);
        let plan = Plan::resolve(&"w=1200".parse().unwrap(), &source, Accept::default()).unwrap();
        assert_eq!(pick_rung(&plan, &rungs), None);
    }
}
