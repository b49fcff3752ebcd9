//! Rungs: smaller copies of a picture, from which the sizes that are asked for are made.
//!
//! A rung is the whole picture, upright, in sRGB. One that is twice the size asked for costs a fraction of the
//! original to decode, and what its own compression lost is gone after the halving (45 dB and more against the
//! original's pixels).

use transform::{Accept, Format, Plan, Source, Transform};

/// The longest sides of rungs, in pixels, the largest first: the mezzanine, then what serves results of up to 720, 512
/// and 256 pixels.
const LADDER: [u32; 4] = [MEZZANINE, 1440, 1024, 512];

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
/// The smallest that is at least twice as large, both ways, as the plan scales the whole picture to. Where none is,
/// the mezzanine, if it need not be enlarged: an original that has one is too large to decode on a request.
pub fn pick_rung(plan: &Plan, rungs: &[(u32, u32)]) -> Option<usize> {
    let Plan::Render(render) = plan else { return None };
    let (width, height) = render.source_size()?;
    // One pixel of tolerance, because the sides of both were rounded.
    let is_times = |(rung_width, rung_height): (u32, u32), factor: u64| {
        u64::from(rung_width) + 1 >= factor * u64::from(width)
            && u64::from(rung_height) + 1 >= factor * u64::from(height)
    };
    let area = |rung_idx: &usize| u64::from(rungs[*rung_idx].0) * u64::from(rungs[*rung_idx].1);
    let ample = (0..rungs.len()).filter(|rung_idx| is_times(rungs[*rung_idx], 2)).min_by_key(area);
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
        check((2725, 2225), &[(2048, 1672), (1440, 1176), (1024, 836), (512, 418)]);
        check((4000, 6000), &[(1365, 2048), (960, 1440), (683, 1024), (341, 512)]);
        check((2400, 1800), &[(1440, 1080), (1024, 768), (512, 384)]);
        check((640, 480), &[(512, 384)]);
        check((639, 480), &[]);
        check((1, 1), &[]);
        check((10_000, 1), &[(2048, 1), (1440, 1), (1024, 1), (512, 1)]);
    }

    #[test]
    fn the_smallest_rung_of_twice_the_size_is_picked() {
        let source = Source::still(2725, 2225, Format::Jpeg, false);
        let rungs = rung_sizes(source.width, source.height);
        let check = |options: &str, expected: Option<u32>| {
            let plan = Plan::resolve(&options.parse().unwrap(), &source, Accept::default()).unwrap();
            let picked = pick_rung(&plan, &rungs).map(|rung_idx| rungs[rung_idx].0);
            assert_eq!(picked, expected, "{options}");
        };
        check("w=100", Some(512));
        check("w=256", Some(512));
        check("w=257", Some(1024));
        check("w=720", Some(1440));
        check("h=588", Some(1440));
        check("w=721", Some(2048));
        check("w=2048", Some(2048));
        check("w=2049", None);
        check("f=png", None);
        check("w=300,h=300,fit=cover", Some(1024));
        check("w=300,h=1000,fit=fill", Some(2048));
        check("w=400,rotate=90", Some(1024));
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
