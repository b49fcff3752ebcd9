//! Light and colour, watermarks and text, measured on pixels.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use blackbox::pixels::Picture;
use blackbox::{App, fixtures};
use fixtures::{CORNERS, plain, quadrants};
use image::{Rgb, RgbImage, Rgba};

/// Four colours, 200 by 100, without loss.
fn four() -> &'static str {
    static FOUR: OnceLock<String> = OnceLock::new();
    FOUR.get_or_init(|| App::shared().image(&fixtures::png(&quadrants(200, 100))))
}

/// A gray of 128, 60 by 40.
fn gray() -> &'static str {
    static GRAY: OnceLock<String> = OnceLock::new();
    GRAY.get_or_init(|| App::shared().image(&fixtures::png(&plain(60, 40, [128, 128, 128]))))
}

#[track_caller]
fn see(id: &str, transform: &str) -> Picture {
    App::shared().delivered(id, &format!("{transform},f=png")).picture()
}

/// A plain picture in this colour, 300 by 200.
fn plain_image(color: [u8; 3]) -> String {
    App::shared().image(&fixtures::png(&plain(300, 200, color)))
}

#[test]
fn light_and_colour_are_multiplied() {
    let level = |transform: &str| see(gray(), transform).at(0.5, 0.5);
    assert!(level("brightness=1.5")[0] > 150 && level("brightness=0.5")[0] < 100);
    assert_eq!(level("brightness=0")[..3], [0; 3]);
    assert_eq!(level("brightness=1"), [128, 128, 128, 255]);
    assert!(level("gamma=2.2")[0] > 160 && level("gamma=0.5")[0] < 90);
    assert!(level("contrast=3")[0].abs_diff(128) < 4, "the middle stays");
    let contrast = |factor: &str| {
        let picture = see(four(), &format!("contrast={factor}"));
        picture.at(0.2, 0.2)[0].abs_diff(picture.at(0.2, 0.2)[1])
    };
    assert!(contrast("1.15") > contrast("1") && contrast("0.5") < contrast("1"));
    let spread = |factor: &str| {
        let [r, g, b, _] = see(four(), &format!("saturation={factor}")).at(0.2, 0.8);
        r.max(g).max(b) - r.min(g).min(b)
    };
    assert!(spread("0") <= 2 && spread("0.5") < spread("1") - 20, "{} {}", spread("0"), spread("0.5"));
    see(four(), "brightness=1,contrast=1,saturation=1,gamma=1").has_quarters("nothing", CORNERS, 0);
}

#[test]
fn tones_and_tints_leave_only_theirs() {
    let all = |transform: &str, check: fn([u8; 3]) -> bool| {
        let image = see(four(), transform).image.to_rgb8();
        image.pixels().all(|pixel| check(pixel.0))
    };
    assert!(all("gray=1", |[r, g, b]| r == g && g == b));
    assert!(all("grayscale=1", |[r, g, b]| r == g && g == b));
    assert!(all("bitonal=1", |pixel| pixel == [0; 3] || pixel == [255; 3]));
    let gray = see(four(), "gray=1");
    let [red, green, blue, white] = [(0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8)].map(|(x, y)| gray.at(x, y)[0]);
    assert!(blue < red && red < green && green < white, "as bright as people see them: {red} {green} {blue} {white}");
    let bitonal = see(four(), "bitonal=1");
    assert_eq!((bitonal.at(0.8, 0.8), bitonal.at(0.2, 0.8)), ([255; 4], [0, 0, 0, 255]));
    // Brown everywhere, as light as before.
    let sepia = see(four(), "tint=704214");
    for (x, y) in [(0.2, 0.2), (0.8, 0.2)] {
        let [r, g, b, _] = sepia.at(x, y);
        assert!(r > g && g > b, "{r} {g} {b}");
    }
    assert!(sepia.at(0.8, 0.8)[0] > sepia.at(0.2, 0.8)[0] + 60);
}

#[test]
fn a_watermark_lies_where_it_should() {
    let app = App::shared();
    let ground = plain_image([20, 20, 20]);
    let mark = app.image(&fixtures::png(&plain(50, 50, [250, 40, 40])));
    let red = [250, 40, 40, 255];
    let dark = [20, 20, 20, 255];
    for (place, (x, y), (far_x, far_y)) in [
        ("", (0.93, 0.9), (0.07, 0.1)),
        (",wm-g=nw", (0.07, 0.1), (0.93, 0.9)),
        (",wm-g=center", (0.5, 0.5), (0.07, 0.1)),
        (",wm-g=n", (0.5, 0.1), (0.5, 0.9)),
        (",wm-g=0:1", (0.07, 0.9), (0.93, 0.9)),
    ] {
        let picture = see(&ground, &format!("wm={mark},wm-scale=10{place}"));
        assert_eq!(picture.size(), (300, 200));
        picture.looks(x, y, red);
        picture.looks(far_x, far_y, dark);
    }
    // Ten of a hundred in width, ten pixels from the edges.
    let image = see(&ground, &format!("wm={mark},wm-scale=10,wm-g=nw")).image.to_rgb8();
    let is_red = |x, y| image[(x, y)].0[0] > 130;
    assert!(is_red(11, 11) && !is_red(8, 11) && !is_red(11, 8), "ten pixels off");
    assert!(is_red(38, 38) && !is_red(42, 20), "thirty pixels wide");
    let flush = see(&ground, &format!("wm={mark},wm-g=nw,wm-pad=0"));
    flush.looks(0.001, 0.001, red);
    flush.looks(0.19, 0.25, red);
    // Half of it: between the two.
    let [r, ..] = see(&ground, &format!("wm={mark},wm-opacity=50")).at(0.9, 0.85);
    assert!(r.abs_diff(135) < 12, "{r}");
    let tiled = see(&ground, &format!("wm={mark},wm-g=tile,wm-scale=10,wm-pad=15")).image.to_rgb8();
    let corners = [(0, 0), (150, 0), (0, 100), (150, 100)];
    let n_red = corners.map(|(x, y)| {
        let quarter = image::imageops::crop_imm(&tiled, x, y, 150, 100).to_image();
        quarter.pixels().filter(|pixel| pixel.0[0] > 130).count()
    });
    assert!(n_red.iter().all(|n| *n > 900), "in every quarter: {n_red:?}");
}

#[test]
fn a_watermark_may_be_seen_through() {
    let app = App::shared();
    let ground = plain_image([30, 30, 200]);
    let mut ring = fixtures::disc(100, [250, 250, 40]);
    ring.enumerate_pixels_mut().filter(|(x, y, _)| x.abs_diff(50) < 20 && y.abs_diff(50) < 20).for_each(
        |(_, _, pixel)| {
            *pixel = Rgba([0; 4]);
        },
    );
    let mark = app.image(&fixtures::rgba_png(&ring));
    let picture = see(&ground, &format!("wm={mark},wm-g=center,wm-scale=50"));
    picture.looks(0.5, 0.5, [30, 30, 200, 255]);
    picture.looks(0.35, 0.5, [250, 250, 40, 255]);
    picture.looks(0.26, 0.14, [30, 30, 200, 255]);
    // A larger picture in another format takes it as well.
    let photo = app.image(&fixtures::jpeg(&plain(1200, 800, [30, 30, 200])));
    let over = app.delivered(&photo, &format!("w=900,wm={mark},wm-g=center,wm-scale=50")).picture();
    assert_eq!((over.size(), over.format), ((900, 600), image::ImageFormat::Jpeg));
    over.looks(0.35, 0.5, [250, 250, 40, 255]);
}

#[test]
fn a_watermark_that_is_not_there_is_named() {
    let app = App::shared();
    app.delivered(gray(), "wm=01h00000000000000000000000").problem(422, "watermark-not-found");
    let mark = app.image(&fixtures::png(&fixtures::photo(20, 20)));
    see(gray(), &format!("wm={mark}"));
    app.delete(&format!("/v1/assets/{mark}")).expect(204);
    let gone = || {
        let answer = app.delivered(gray(), &format!("wm={mark},w=31"));
        (answer.status == 422).then_some(answer)
    };
    blackbox::poll::until("the mark is gone", gone).problem(422, "watermark-not-found");
}

/// A transform that writes `text`.
fn writing(text: &str, more: &str) -> String {
    format!("text={}{more}", URL_SAFE_NO_PAD.encode(text))
}

/// The box around everything that is brighter than 100: left, top, right and bottom, inclusive.
fn ink(image: &RgbImage) -> Option<(u32, u32, u32, u32)> {
    let inked = image.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] > 100);
    inked.fold(None, |bounds: Option<(u32, u32, u32, u32)>, (x, y, _)| {
        let (left, top, right, bottom) = bounds.unwrap_or((x, y, x, y));
        Some((left.min(x), top.min(y), right.max(x), bottom.max(y)))
    })
}

#[test]
fn text_is_written_where_and_how_it_should() {
    let ground = plain_image([10, 10, 10]);
    let write = |text: &str, more: &str| see(&ground, &writing(text, more)).image.to_rgb8();
    let bounds = |text: &str, more: &str| {
        ink(&write(text, more)).unwrap_or_else(|| panic!("nothing is written of {text:?}{more}"))
    };
    // At the bottom, in the middle.
    let (left, top, right, bottom) = bounds("Hxg", "");
    assert!(top > 130 && bottom < 195, "{top} to {bottom}");
    assert!((left + right).abs_diff(300) < 12, "{left} to {right}");
    let (left, top, ..) = bounds("H", ",text-g=nw");
    assert!((9..18).contains(&left) && (8..30).contains(&top), "{left}, {top}");
    let (.., right, _) = bounds("H", ",text-g=ne,text-pad=30");
    assert!((262..272).contains(&right), "{right}");
    let height = |size: u32| {
        let (_, top, _, bottom) = bounds("H", &format!(",text-size={size}"));
        bottom - top
    };
    assert!(height(80).abs_diff(2 * height(40)) <= 3, "{} and {}", height(40), height(80));
    let width = |text: &str, font: &str| {
        let (left, _, right, _) = bounds(text, &format!(",text-font={font}"));
        right - left
    };
    assert!(width("iiiii", "sans") * 2 < width("mmmmm", "sans"));
    // Every letter of a monospaced font has the same room.
    let advance = |text: &str| width(&text.repeat(2), "mono") - width(text, "mono");
    assert!(advance("i").abs_diff(advance("m")) <= 2, "{} and {}", advance("i"), advance("m"));
    assert_ne!(write("Rag", ",text-font=serif"), write("Rag", ",text-font=sans"));
    assert!(width("Grüße, Œuvre, Ωμέγα, Привет", "sans") > width("Grüße", "sans"));
}

#[test]
fn text_has_its_colour() {
    let ground = plain_image([10, 10, 10]);
    let brightest = |more: &str| {
        let image = see(&ground, &writing("■MMM", &format!(",text-size=60{more}"))).image.to_rgb8();
        image.pixels().map(|pixel| pixel.0).max_by_key(|[r, g, b]| u32::from(*r) + u32::from(*g) + u32::from(*b))
    };
    let close = |found: Option<[u8; 3]>, expected: [u8; 3]| {
        found.is_some_and(|found| found.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) < 12))
    };
    assert!(close(brightest(""), [255, 255, 255]), "{:?}", brightest(""));
    assert!(close(brightest(",text-color=00ff00"), [0, 255, 0]), "{:?}", brightest(",text-color=00ff00"));
    let half = brightest(",text-color=ffffff80");
    assert!(close(half, [133, 133, 133]), "{half:?}");
}

#[test]
fn text_that_is_too_long_is_refused_and_what_is_left_is_drawn() {
    let app = App::shared();
    let ground = plain_image([10, 10, 10]);
    app.delivered(&ground, &writing(&"x".repeat(121), "")).problem(400, "transform-invalid");
    app.delivered(&ground, "text=%C3%A4").problem(400, "transform-invalid");
    // Not UTF-8.
    app.delivered(&ground, "text=__8").problem(400, "transform-invalid");
    // Longer than the picture is wide: still a picture of that size.
    let long = see(&ground, &writing(&"W".repeat(120), ",text-size=40"));
    assert_eq!(long.size(), (300, 200));
    // Both at once, and a JPEG of it.
    let mark = app.image(&fixtures::png(&plain(20, 20, [40, 250, 40])));
    let both = format!("{},wm={mark},wm-g=nw,f=jpeg", writing("Text", ""));
    let both = app.delivered(&ground, &both).picture();
    both.looks(0.1, 0.15, [40, 250, 40, 255]);
    assert!(ink(&both.image.to_rgb8()).is_some_and(|(_, _, _, bottom)| bottom > 150));
}

#[test]
fn blur_and_sharpen_work_on_the_result() {
    let edge = RgbImage::from_fn(200, 40, |x, _| if x < 100 { Rgb([60; 3]) } else { Rgb([190; 3]) });
    let id = App::shared().image(&fixtures::png(&edge));
    let row = |transform: &str| {
        let image = see(&id, transform).image.to_rgb8();
        (0..200).map(|x| image[(x, 20)].0[0]).collect::<Vec<u8>>()
    };
    // A Gaussian of this sigma has 16 percent of the step left one sigma before the edge.
    let blurred = row("blur=10");
    assert!(
        blurred[90].abs_diff(60 + 21) < 6 && blurred[110].abs_diff(190 - 21) < 6,
        "{} {}",
        blurred[90],
        blurred[110]
    );
    assert!(blurred.is_sorted());
    let sharpened = row("sharpen=2");
    assert!(*sharpened.iter().max().expect("a row") > 195 && *sharpened.iter().min().expect("a row") < 55);
}
