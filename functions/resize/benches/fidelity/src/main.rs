//! Scores the engine's pictures against sharp's: see `README.md`.

use std::path::Path;
use std::process::ExitCode;

use fast_ssim2::{PixelDescriptor, PixelSlice, compute_ssimulacra2};
use resize::pixels::{Extras, Facts, Limits, render};
use transform::{Accept, Plan};

/// The lowest score that passes.
const MIN_SCORE: f64 = 90.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["profile", path] => {
            let profile = moxcms::ColorProfile::new_adobe_rgb().encode().expect("the profile can be written");
            std::fs::write(path, profile).expect("the file can be written");
            ExitCode::SUCCESS
        }
        ["compare", folder] => compare(Path::new(folder)),
        _ => panic!("usage: fidelity profile OUT.icc | fidelity compare FOLDER"),
    }
}

fn compare(folder: &Path) -> ExitCode {
    let cases = std::fs::read_to_string(folder.join("cases.tsv")).expect("generate.mjs has written cases.tsv");
    println!("| Case | Size | SSIMULACRA2 | Mean difference | Largest |\n|---|---|---|---|---|");
    let (mut n_cases, mut n_low) = (0, 0);
    for case in cases.lines() {
        let [name, source, options, reference] = case.split('\t').collect::<Vec<_>>()[..] else {
            panic!("cases.tsv has a line that is not a case: {case}")
        };
        let ours = rendered(&std::fs::read(source).expect("the source can be read"), options);
        std::fs::write(folder.join(format!("{name}.ours.png")), &ours).expect("the result can be written");
        let ours = Picture::read(&ours);
        let theirs = Picture::read(&std::fs::read(reference).expect("the reference can be read"));
        let (score, (mean, largest)) = (ours.score(&theirs), ours.difference(&theirs));
        let mark = if score < MIN_SCORE { " **low**" } else { "" };
        println!("| {name} | {}x{} | {score:.1}{mark} | {mean:.2} | {largest} |", ours.width, ours.height);
        n_cases += 1;
        n_low += usize::from(score < MIN_SCORE);
    }
    println!("\n{n_cases} cases, {n_low} of them under {MIN_SCORE}");
    if n_low == 0 && n_cases > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn rendered(file: &[u8], options: &str) -> Vec<u8> {
    let limits = Limits::default();
    let facts = Facts::read(file, &limits).expect("the source is a picture");
    let transform = options.parse().expect("the transform is good");
    let plan = Plan::resolve(&transform, &facts.source, Accept::default()).expect("the result is within limits");
    render(file, &plan, &Extras::default(), &limits).expect("the picture can be rendered").bytes
}

/// A picture, eight bits of red, green, blue and opacity.
struct Picture {
    width: u32,
    height: u32,
    rgba: Vec<[u8; 4]>,
}

impl Picture {
    fn read(file: &[u8]) -> Self {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().expect("the PNG has a header");
        let mut pixels = vec![0; reader.output_buffer_size().expect("the PNG is small")];
        let info = reader.next_frame(&mut pixels).expect("the PNG is whole");
        pixels.truncate(info.buffer_size());
        let rgba = pixels.chunks_exact(info.color_type.samples()).map(|pixel| match *pixel {
            [gray] => [gray, gray, gray, 255],
            [gray, alpha] => [gray, gray, gray, alpha],
            [red, green, blue] => [red, green, blue, 255],
            [red, green, blue, alpha, ..] => [red, green, blue, alpha],
            [] => [0; 4],
        });
        Self { width: info.width, height: info.height, rgba: rgba.collect() }
    }

    /// Red, green and blue on a gray ground.
    fn on(&self, ground: u8) -> Vec<u8> {
        let mix = |code: u8, alpha: u8| {
            let (code, alpha) = (u32::from(code), u32::from(alpha));
            ((code * alpha + u32::from(ground) * (255 - alpha) + 127) / 255) as u8
        };
        self.rgba.iter().flat_map(|[r, g, b, a]| [mix(*r, *a), mix(*g, *a), mix(*b, *a)]).collect()
    }

    fn score(&self, other: &Self) -> f64 {
        assert_eq!((self.width, self.height), (other.width, other.height), "the sizes differ");
        let on = |ground| {
            let (ours, theirs) = (self.on(ground), other.on(ground));
            let slice = |pixels| {
                let stride = 3 * self.width as usize;
                PixelSlice::new(pixels, self.width, self.height, stride, PixelDescriptor::RGB8_SRGB)
                    .expect("the picture has all its pixels")
            };
            compute_ssimulacra2(&slice(&theirs), &slice(&ours)).expect("the pictures can be compared")
        };
        on(255).min(on(0))
    }

    /// The mean and the largest difference of a channel, on white.
    fn difference(&self, other: &Self) -> (f64, u8) {
        let (ours, theirs) = (self.on(255), other.on(255));
        let differences: Vec<u8> = ours.iter().zip(theirs).map(|(a, b)| a.abs_diff(b)).collect();
        let sum: f64 = differences.iter().copied().map(f64::from).sum();
        (sum / differences.len() as f64, differences.into_iter().max().unwrap_or(0))
    }
}
