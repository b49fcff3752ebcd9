//! Which part of a picture is shown, and what lies around it, measured on pixels.

use std::sync::OnceLock;

use blackbox::pixels::Picture;
use blackbox::{App, fixtures};
use fixtures::{CORNERS, quadrants};
use image::{Rgb, RgbImage};

const YELLOW: [u8; 4] = [255, 255, 0, 255];

/// A picture of 400 by 300 in four colours, without loss.
fn four() -> &'static str {
    static FOUR: OnceLock<String> = OnceLock::new();
    FOUR.get_or_init(|| App::shared().image(&fixtures::png(&quadrants(400, 300))))
}

#[track_caller]
fn see(id: &str, transform: &str) -> Picture {
    App::shared().delivered(id, &format!("{transform},f=png")).picture()
}

#[test]
fn a_crop_is_the_region_that_was_asked_for() {
    let [red, green, blue, white] = CORNERS;
    for (transform, size, quarters) in [
        ("crop=0:0:200:150", (200, 150), [red; 4]),
        ("crop=200:0:200:150", (200, 150), [green; 4]),
        ("crop=0:150:200:150", (200, 150), [blue; 4]),
        ("crop=100:75:200:150", (200, 150), CORNERS),
        ("crop=25p:25p:50p:50p", (200, 150), CORNERS),
        ("crop=50p:0:50p:300", (200, 300), [green, green, white, white]),
        ("crop=12.5p:10.0001p:10p:10p", (40, 30), [red; 4]),
        // Cut off where the picture ends.
        ("crop=300:200:1000:1000", (100, 100), [white; 4]),
        // Before everything else: of the upright picture, in its own pixels.
        ("crop=100:75:200:150,w=100", (100, 75), CORNERS),
        ("crop=0:0:200:300,rotate=90", (300, 200), [blue, red, blue, red]),
        ("crop=0:0:200:300,flip=v", (200, 300), [blue, blue, red, red]),
        ("crop=0:0:200:300,w=100,h=100,fit=cover,g=n", (100, 100), [red, red, blue, blue]),
    ] {
        let picture = see(four(), transform);
        assert_eq!(picture.size(), size, "{transform}");
        picture.has_quarters(transform, quarters, 8);
    }
    // Upright comes first: the region is of the picture that is seen.
    let lying = App::shared().image(&fixtures::oriented_jpeg(&quadrants(160, 120), 6));
    see(&lying, "crop=80:0:80:60").has_quarters("a turned source", [green; 4], 24);
}

#[test]
fn a_crop_is_exact_to_the_pixel() {
    let app = App::shared();
    let exact = fixtures::photo(97, 61);
    let id = app.image(&fixtures::png(&exact));
    let part = see(&id, "crop=13:7:31:23").image.to_rgb8();
    let expected = image::imageops::crop_imm(&exact, 13, 7, 31, 23).to_image();
    assert!(part == expected, "the pixels of the region, as they are");
}

#[test]
fn a_border_is_trimmed() {
    let app = App::shared();
    let mut framed = fixtures::plain(300, 200, [250, 250, 250]);
    image::imageops::overlay(&mut framed, &quadrants(120, 80), 50, 30);
    let id = app.image(&fixtures::png(&framed));
    for (transform, size) in [
        ("trim", (120, 80)),
        ("trim=10", (120, 80)),
        ("trim,w=60", (60, 40)),
        ("trim,w=40,h=40,fit=cover", (40, 40)),
        ("trim,rotate=90", (80, 120)),
        ("crop=0:0:110:200,trim", (60, 80)),
        ("trim,pad=5", (130, 90)),
    ] {
        assert_eq!(see(&id, transform).size(), size, "{transform}");
    }
    see(&id, "trim").has_quarters("trimmed", CORNERS, 8);
    // White on off-white is gone with a threshold above their distance.
    let mut faint = fixtures::plain(100, 100, [255, 255, 255]);
    image::imageops::overlay(&mut faint, &fixtures::plain(60, 60, [235, 235, 235]), 20, 20);
    image::imageops::overlay(&mut faint, &fixtures::plain(20, 20, [0, 0, 0]), 40, 40);
    let faint = app.image(&fixtures::png(&faint));
    assert_eq!(see(&faint, "trim=10").size(), (60, 60));
    assert_eq!(see(&faint, "trim=40").size(), (20, 20));
    // Nothing but border stays what it is.
    let plain = app.image(&fixtures::png(&fixtures::plain(30, 20, [7, 7, 7])));
    assert_eq!(see(&plain, "trim").size(), (30, 20));
}

#[test]
fn a_ratio_gives_the_side_that_is_missing() {
    for (transform, size) in [
        ("w=200,ar=2:1", (200, 100)),
        ("h=100,ar=2:1", (200, 100)),
        ("w=90,ar=1:1", (90, 90)),
        ("w=160,ar=16:9", (160, 90)),
        ("ar=1:1", (300, 300)),
        ("ar=2:1", (400, 200)),
        ("ar=1:2", (150, 300)),
        ("ar=1:1,fit=contain", (400, 400)),
        ("w=100,ar=1:1,fit=contain", (100, 100)),
        ("w=100,ar=1:1,dpr=2", (200, 200)),
        ("w=100,ar=1.91:1", (100, 52)),
    ] {
        assert_eq!(see(four(), transform).size(), size, "{transform}");
    }
    let [red, green, blue, white] = CORNERS;
    see(four(), "ar=1:2,g=w").has_quarters("left", [red, red, blue, blue], 8);
    see(four(), "ar=1:2,g=e").has_quarters("right", [green, green, white, white], 8);
}

#[test]
fn padding_lies_around_the_picture() {
    let padded = see(four(), "w=100,pad=20,bg=ffff00");
    assert_eq!(padded.size(), (140, 115));
    for (x, y) in [(0.02, 0.5), (0.98, 0.5), (0.5, 0.02), (0.5, 0.98)] {
        padded.looks(x, y, YELLOW);
    }
    padded.has_quarters("padded", CORNERS, 8);
    let uneven = see(four(), "w=100,pad=10:20:30:40,bg=ffff00");
    assert_eq!(uneven.size(), (160, 115));
    let image = uneven.image.to_rgb8();
    let is_yellow = |x, y| image[(x, y)] == Rgb([255, 255, 0]);
    assert!(is_yellow(70, 9) && !is_yellow(70, 11), "ten above");
    assert!(is_yellow(141, 40) && !is_yellow(138, 40), "twenty to the right");
    assert!(is_yellow(70, 86) && !is_yellow(70, 83), "thirty below");
    assert!(is_yellow(38, 40) && !is_yellow(41, 40), "forty to the left");
    assert_eq!(see(four(), "w=100,pad=20").at(0.01, 0.01)[3], 0, "nothing, where the format can");
    App::shared().delivered(four(), "w=100,pad=20,f=jpeg").picture().looks(0.02, 0.02, [255; 4]);
    assert_eq!(see(four(), "w=50,pad=10,dpr=2").size(), (140, 115), "padding is multiplied too");
    // One canvas with that of `contain`.
    assert_eq!(see(four(), "w=100,h=100,fit=contain,pad=5").size(), (110, 110));
}

#[test]
fn corners_are_rounded() {
    let round = see(four(), "w=200,radius=40");
    assert_eq!(round.size(), (200, 150));
    let image = round.image.to_rgba8();
    for (x, y) in [(0, 0), (199, 0), (0, 149), (199, 149), (8, 8), (190, 140)] {
        assert_eq!(image[(x, y)].0[3], 0, "{x},{y} is cut off");
    }
    for (x, y) in [(40, 1), (1, 40), (100, 75), (15, 15), (184, 134)] {
        assert_eq!(image[(x, y)].0[3], 255, "{x},{y} stays");
    }
    let soft = image.pixels().filter(|pixel| !matches!(pixel.0[3], 0 | 255)).count();
    assert!((20..2000).contains(&soft), "the edge is smooth: {soft} pixels in between");
    round.has_quarters("rounded", CORNERS, 8);
    // A circle covers pi quarters of its square.
    let circle = see(four(), "w=100,ar=1:1,radius=max").image.to_rgba8();
    let covered: u64 = circle.pixels().map(|pixel| u64::from(pixel.0[3])).sum();
    let share = covered as f64 / (255.0 * 100.0 * 100.0);
    assert!((share - std::f64::consts::FRAC_PI_4).abs() < 0.01, "{share}");
    App::shared().delivered(four(), "w=200,radius=40,f=jpeg").picture().looks(0.01, 0.01, [255; 4]);
    see(four(), "w=200,radius=40,bg=ffff00").looks(0.01, 0.01, YELLOW);
    // The padding is rounded with the picture.
    let padded = see(four(), "w=100,pad=20,bg=ffff0080,radius=30").at(0.0, 0.0);
    assert!(padded[3].abs_diff(0x80) < 4, "bg lies under the corners as well: {padded:?}");
}

#[test]
fn a_focal_point_stays_in_view() {
    let [red, green, blue, white] = CORNERS;
    for (transform, quarters) in [
        ("w=50,h=150,fit=cover,g=0.1:0.5", [red, red, blue, blue]),
        ("w=50,h=150,fit=cover,g=0.9:0.5", [green, green, white, white]),
        ("w=200,h=50,fit=cover,g=0.5:0.1", [red, green, red, green]),
        ("w=50,h=25,fit=cover,crop=0:0:50p:100p,g=0.5:1", [blue; 4]),
    ] {
        see(four(), transform).has_quarters(transform, quarters, 8);
    }
    // The point at that fraction of the picture lies at the same fraction of the crop.
    let mut marked = fixtures::plain(400, 100, [40, 40, 40]);
    image::imageops::overlay(&mut marked, &fixtures::plain(8, 100, [250, 250, 250]), 96, 0);
    let id = App::shared().image(&fixtures::png(&marked));
    see(&id, "w=100,h=100,fit=cover,g=0.25:0.5").looks(0.25, 0.5, [250, 250, 250, 255]);
}

/// A dull picture of 600 by 200 with a red disc, the only thing to look at, around `x`.
fn with_subject_at(x: i64) -> String {
    let soft = |x: u32, y: u32| [90 + (x / 60) as u8, 95 + (y / 40) as u8, 100];
    let mut image = RgbImage::from_fn(600, 200, |x, y| Rgb(soft(x, y)));
    for (place_x, place_y, pixel) in image.enumerate_pixels_mut() {
        let (dx, dy) = (i64::from(place_x) - x, i64::from(place_y) - 100);
        if dx * dx + dy * dy < 50 * 50 {
            let is_ring = (dx * dx + dy * dy) / 300 % 2 == 0;
            *pixel = Rgb(if is_ring { [235, 40, 30] } else { [250, 220, 40] });
        }
    }
    App::shared().image(&fixtures::png(&image))
}

#[test]
fn a_crop_finds_what_there_is_to_see() {
    for x in [80, 300, 520] {
        let id = with_subject_at(x);
        let n_bright = |transform: &str| {
            let image = see(&id, transform).image.to_rgb8();
            assert_eq!(image.dimensions(), (200, 200), "{transform}");
            image.pixels().filter(|pixel| pixel.0[0] > 200).count()
        };
        let all = see(&id, "w=600").image.to_rgb8().pixels().filter(|pixel| pixel.0[0] > 200).count();
        for gravity in ["auto", "attention", "entropy", "faces"] {
            let found = n_bright(&format!("w=200,h=200,fit=cover,g={gravity}"));
            assert!(found * 10 > all * 9, "g={gravity} shows {found} of {all} pixels of what lies at {x}");
        }
    }
}

#[test]
fn a_crop_finds_a_face() {
    let face = image::load_from_memory(&fixtures::stored("functions/resize/src/pixels/fixtures/face.png"));
    let face = face.expect("a sound fixture").to_rgb8();
    for left in [20, 480] {
        let mut image = RgbImage::from_pixel(600, 120, Rgb([128, 128, 128]));
        // Something louder than a face at the other end.
        let loud = RgbImage::from_fn(60, 60, |x, y| if (x / 6 + y / 6) % 2 == 0 { Rgb([255; 3]) } else { Rgb([0; 3]) });
        image::imageops::overlay(&mut image, &loud, 520 - left, 30);
        image::imageops::overlay(&mut image, &face, left, 15);
        let id = App::shared().image(&fixtures::png(&image));
        let found = see(&id, "w=120,h=120,fit=cover,g=faces").image.to_rgb8();
        let is_in_view = (0..=480).step_by(1).any(|x| {
            let part = image::imageops::crop_imm(&image, x, 0, 120, 120).to_image();
            let contains_face = i64::from(x) <= left + 10 && i64::from(x) + 120 >= left + 70;
            part == found && contains_face
        });
        assert!(is_in_view, "the face at {left} is not in view");
    }
}

#[test]
fn linear_light_keeps_fine_detail_bright() {
    let fine = RgbImage::from_fn(200, 200, |x, _| if x % 2 == 0 { Rgb([255; 3]) } else { Rgb([0; 3]) });
    let id = App::shared().image(&fixtures::png(&fine));
    let level = |transform: &str| see(&id, transform).at(0.5, 0.5)[0];
    let (plain, linear) = (level("w=50"), level("w=50,linear=1"));
    assert!(plain.abs_diff(128) < 6, "{plain}");
    // Half of the light is 188 in sRGB.
    assert!(linear.abs_diff(188) < 6, "{linear}");
}
