//! Everything at once, for whatever bytes come along: what a fuzzer calls.

use transform::Plan;

use super::{Extras, Limits, derive, render, strip};

/// Limits under which any input is done with in a fraction of a second.
const LIMITS: Limits = Limits { max_pixels: 1 << 18, max_side: 4096, max_frames: 16, max_memory_bytes: 16 << 20 };

/// Plans that between them reach every step, whatever picture they are carried out on.
const PLANS: [&str; 5] = [
    "original",
    "s=64x48,f=jpeg,q=80",
    "o=3h,s=90x70,c=13.7.40.60,p=2.1.44.64,b=ff000080,blur=1,sharpen=0.5,f=png",
    "o=1,s=7x300,f=webp",
    "s=33x33,p=0.5.40.40,b=808080,blur=9,f=jpeg,q=95",
];

/// Does everything that can be done with `file`, within small limits, and drops the results. Must never panic; an
/// original that was rewritten without metadata must not need it again.
pub fn exercise(file: &[u8]) {
    if let super::Stripped::Rewritten(bytes) = strip(file) {
        assert_ne!(strip(&bytes), super::Stripped::NeedsRender, "stripping made a file that cannot be read");
    }
    let plans: Vec<Plan> = PLANS.iter().filter_map(|plan| plan.parse().ok()).collect();
    for plan in &plans {
        let _ = render(file, plan, &Extras::default(), &LIMITS);
    }
    let presets: Vec<(&str, Plan)> = PLANS.into_iter().zip(plans).collect();
    let _ = derive(file, &presets[1..], &LIMITS);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::samples::every_kind;

    #[test]
    fn every_plan_is_one() {
        for plan in PLANS {
            assert!(plan.parse::<Plan>().is_ok(), "{plan}");
        }
    }

    /// A few thousand broken files; `examples/pixels_fuzz.rs` does the same without end.
    #[test]
    fn broken_files_never_panic() {
        let mut random: u32 = 1;
        let mut next = |n: usize| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 8) as usize % n.max(1)
        };
        for (_, file) in every_kind() {
            for _ in 0..60 {
                let mut broken = file.clone();
                for _ in 0..=next(4) {
                    let position = next(broken.len());
                    broken[position] = [0, 1, 0x7F, 0x80, 0xFF, next(256) as u8][next(6)];
                }
                broken.truncate(broken.len() - next(8) * next(broken.len() / 8));
                exercise(&broken);
            }
        }
    }
}
