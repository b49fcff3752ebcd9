//! From the norms of the maps to one number.

use crate::compare::Norms;
use crate::planes::SCALES;

/// What the mean and the 4-norm count for, of each: structure, artifacts, lost edges.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weights([[f64; 3]; 2]);

impl Weights {
    /// Those of the structure.
    pub(crate) fn structure(&self) -> [f64; 2] {
        [self.0[0][0], self.0[1][0]]
    }
}

/// The weights that version 2.1 was published with: for X, Y and B, each at six scales from the largest.
#[rustfmt::skip]
const WEIGHTS: [Weights; 3 * SCALES] = [
    Weights([[0.0, 0.000_737_660_670_740_658_6, 0.0], [0.0, 0.000_779_348_168_286_730_9, 0.0]]),
    Weights([[0.0, 0.000_437_115_573_010_737_9, 0.0], [1.104_172_642_665_734_6, 0.000_662_848_341_292_71, 0.000_152_316_327_837_187_52]]),
    Weights([[0.0, 0.001_640_643_745_659_975_4, 0.0], [1.842_245_552_053_929_8, 11.441_172_603_757_666, 0.0]]),
    Weights([[0.000_798_910_943_601_516_3, 0.000_176_816_438_078_653, 0.0], [1.878_759_497_954_638_7, 10.949_069_906_051_42, 0.0]]),
    Weights([[0.000_728_934_699_150_807_2, 0.967_793_708_062_683_3, 0.0], [0.000_140_034_242_854_358_84, 0.998_176_697_785_496_7, 0.000_319_497_559_344_350_53]]),
    Weights([[0.000_455_099_211_379_206_3, 0.0, 0.0], [0.001_364_876_616_324_339_8, 0.0, 0.0]]),
    Weights([[0.0, 0.0, 0.0], [7.466_890_328_078_848, 0.0, 17.445_833_984_131_262]]),
    Weights([[0.000_623_560_163_404_146_6, 0.0, 0.0], [6.683_678_146_179_332, 0.000_377_244_079_796_112_96, 1.027_889_937_768_264]]),
    Weights([[225.205_153_008_492_74, 0.0, 0.0], [19.213_238_186_143_016, 0.001_140_152_458_661_836_1, 0.001_237_755_635_509_985]]),
    Weights([[176.393_175_984_506_94, 0.0, 0.0], [24.433_009_998_704_76, 0.285_208_026_121_177_57, 0.000_448_543_692_383_340_8]]),
    Weights([[0.0, 0.0, 0.0], [34.779_063_444_837_72, 44.835_625_328_877_896, 0.0]]),
    Weights([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
    Weights([[0.0, 0.000_868_055_657_329_169_8, 0.0], [0.0, 0.0, 0.0]]),
    Weights([[0.0, 0.000_531_319_187_435_874_7, 0.0], [0.000_165_338_141_613_791_12, 0.0, 0.0]]),
    Weights([[0.0, 0.0, 0.0], [0.000_417_917_180_325_133_6, 0.001_729_082_823_472_283_3, 0.0]]),
    Weights([[0.002_082_700_584_663_643_7, 0.0, 0.0], [8.826_982_764_996_862, 23.192_433_439_989_26, 0.0]]),
    Weights([[95.108_049_881_108_6, 0.986_397_803_440_068_2, 0.983_438_279_246_535_3], [0.001_228_640_504_827_849_3, 171.266_725_589_730_7, 0.980_785_887_243_537_9]]),
    Weights([[0.0, 0.0, 0.0], [0.000_513_006_458_899_067_9, 0.0, 0.000_108_540_578_584_115_37]]),
];

/// The weights of a component at a scale, of `n_scales`.
///
/// A picture with fewer than six scales takes them in a row all the same, as the metric was published: its Y at the
/// largest scale is weighed like X at a smaller one.
pub(crate) fn weights(component: usize, scale: usize, n_scales: usize) -> &'static Weights {
    &WEIGHTS[component * n_scales + scale]
}

/// The score for the norms of each component at each scale.
pub(crate) fn pooled(scales: &[[Norms; 3]]) -> f64 {
    let mut sum = 0.0;
    for component in 0..3 {
        for (scale, norms) in scales.iter().enumerate() {
            let Weights(weights) = weights(component, scale, scales.len());
            let Norms { structure, artifacts, lost } = &norms[component];
            for (norm, [of_structure, of_artifacts, of_lost]) in weights.iter().enumerate() {
                sum += of_structure * structure[norm];
                sum += of_artifacts * artifacts[norm];
                sum += of_lost * lost[norm];
            }
        }
    }
    on_the_scale(sum)
}

/// The weighted sum on the scale of people's opinions.
fn on_the_scale(sum: f64) -> f64 {
    let sum = sum * 0.956_238_261_683_484_4;
    let square = sum * sum;
    let bent =
        6.248_496_625_763_138e-5 * square * sum + 2.326_765_642_916_932 * sum - 0.020_884_521_182_843_837 * square;
    if bent > 0.0 { 100.0 - 10.0 * libm::pow(bent, 0.627_633_646_783_138_7) } else { 100.0 }
}
