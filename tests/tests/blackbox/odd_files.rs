//! Files that are sound, but not what a careless program expects.

use blackbox::pixels::Picture;
use blackbox::{App, fixtures};
use fixtures::{CORNERS, photo, plain, quadrants};

const EDGES: [(f64, f64); 4] = [(0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8)];

#[track_caller]
fn looks_like_quadrants(picture: &Picture) {
    for ((x, y), corner) in EDGES.into_iter().zip(CORNERS) {
        picture.looks(x, y, corner);
    }
}

#[test]
fn every_variety_is_taken_and_shown_as_it_is() {
    let app = App::shared();
    let four = quadrants(80, 60);
    let gray = image::imageops::grayscale(&four);
    let [dark] = gray[(0, 0)].0;
    for (name, bytes, format, corner) in [
        ("baseline jpeg", fixtures::jpeg(&four), "jpeg", CORNERS[0]),
        ("progressive jpeg", fixtures::progressive_jpeg(&four), "jpeg", CORNERS[0]),
        ("gray jpeg", fixtures::gray_jpeg(&gray), "jpeg", [dark, dark, dark, 255]),
        ("cyan in cmyk", fixtures::cmyk_jpeg(80, 60, [255, 0, 0, 0]), "jpeg", [0, 255, 255, 255]),
        ("magenta in ycck", fixtures::ycck_jpeg(80, 60, [0, 255, 0, 0]), "jpeg", [255, 0, 255, 255]),
        ("png", fixtures::png(&four), "png", CORNERS[0]),
        ("16 bit png", fixtures::rgb16_png(&four), "png", CORNERS[0]),
        ("16 bit gray png", fixtures::gray16_png(80, 60), "png", [25, 25, 25, 255]),
        ("palette png", fixtures::palette_png(80, 60), "png", [255, 0, 0, 255]),
        ("interlaced png", fixtures::interlaced_png(&four), "png", CORNERS[0]),
        ("webp", fixtures::webp(&four), "webp", CORNERS[0]),
        ("gif", fixtures::gif(&four), "gif", CORNERS[0]),
        ("animated gif", fixtures::animated_gif(80, 60, 3), "gif", CORNERS[0]),
        ("animated png", fixtures::animated_png(80, 60, 3), "png", CORNERS[0]),
        ("animated webp", fixtures::animated_webp(80, 60, 3), "webp", CORNERS[0]),
    ] {
        let asset = app.settled(&app.upload(&bytes).expect(202).id());
        assert_eq!(asset["state"], "ready", "{name}: {asset:#}");
        assert_eq!(
            (&asset["format"], &asset["width"], &asset["height"]),
            (&format.into(), &80.into(), &60.into()),
            "{name}"
        );
        let id = asset["id"].as_str().expect("an id");
        app.ready(id);
        for transform in ["w=40,f=png", "original", "w=40"] {
            let picture = app.delivered(id, transform).picture();
            let expected = if transform == "original" { (80, 60) } else { (40, 30) };
            assert_eq!(picture.size(), expected, "{name}, {transform}");
            let found = picture.at(0.1, 0.1);
            let is_close = found.iter().zip(corner).all(|(found, expected)| found.abs_diff(expected) <= 24);
            assert!(is_close, "{name}, {transform}: {found:?}, expected about {corner:?}");
        }
    }
}

/// Our own JPEGs have a scan for each channel, which few others do.
#[test]
fn what_was_delivered_may_come_in_again() {
    let app = App::shared();
    let first = app.image(&fixtures::png(&quadrants(160, 120)));
    for transform in ["f=jpeg,q=79", "f=jpeg,q=95", "w=80,f=png", "w=80,f=webp", "original"] {
        let made = app.delivered(&first, transform).expect(200);
        let size = made.picture().size();
        let again = app.image(&made.body);
        for again_transform in ["original", "f=png", "w=40,f=png", "thumb", "w=40"] {
            let picture = app.delivered(&again, again_transform).picture();
            assert!(picture.size().0 <= size.0, "{transform}, {again_transform}");
            looks_like_quadrants(&picture);
        }
    }
}

#[test]
fn one_pixel_is_an_image() {
    let app = App::shared();
    for (name, bytes) in [
        ("jpeg", fixtures::jpeg(&plain(1, 1, [200, 10, 10]))),
        ("png", fixtures::png(&plain(1, 1, [200, 10, 11]))),
        ("webp", fixtures::webp(&plain(1, 1, [200, 10, 12]))),
        ("gif", fixtures::gif(&plain(1, 1, [200, 10, 13]))),
        ("interlaced png", fixtures::interlaced_png(&plain(1, 1, [200, 10, 14]))),
    ] {
        let id = app.image(&bytes);
        for transform in
            ["original", "thumb", "large", "w=1", "w=1,h=1,fit=cover", "w=100,h=100,fit=contain", "rotate=90"]
        {
            let answer = app.delivered(&id, transform).expect(200);
            let size = answer.picture().size();
            let expected = if transform.contains("contain") { (100, 100) } else { (1, 1) };
            assert_eq!(size, expected, "{name}, {transform}");
        }
        assert_eq!(app.delivered(&id, "w=50,enlarge=1").picture().size(), (50, 50), "{name}");
    }
}

#[test]
fn extreme_proportions_keep_a_pixel() {
    let app = App::shared();
    let id = app.image(&fixtures::png(&photo(4000, 1)));
    assert_eq!(app.delivered(&id, "w=10").picture().size(), (10, 1));
    assert_eq!(app.delivered(&id, "thumb").expect(200).picture().size().1, 1);
    let tall = app.image(&fixtures::png(&photo(1, 4000)));
    assert_eq!(app.delivered(&tall, "h=10").picture().size(), (1, 10));
    assert_eq!(app.delivered(&tall, "w=100,h=100,fit=cover").expect(200).picture().size().0, 1);
}

#[test]
fn every_orientation_is_applied_and_forgotten() {
    let app = App::shared();
    for orientation in 1..=8 {
        let bytes = fixtures::oriented_jpeg(&quadrants(96, 64), orientation);
        let id = app.image(&bytes);
        let asset = app.asset(&id);
        assert_eq!((&asset["width"], &asset["height"]), (&96.into(), &64.into()), "orientation {orientation}");
        let image = app.get(&format!("/v1/images/{id}")).expect(200).json();
        assert_eq!((&image["width"], &image["height"]), (&96.into(), &64.into()), "orientation {orientation}");
        for (transform, size) in
            [("original", (96, 64)), ("w=48", (48, 32)), ("w=48,f=png", (48, 32)), ("large", (96, 64))]
        {
            let answer = app.delivered(&id, transform).expect(200);
            let picture = answer.picture();
            assert_eq!(picture.size(), size, "orientation {orientation}, {transform}");
            looks_like_quadrants(&picture);
            assert!(!contains(&answer.body, b"Exif\0\0"), "orientation {orientation}, {transform}");
        }
    }
}

#[test]
fn metadata_is_taken_out_of_originals_and_sizes() {
    let app = App::shared();
    let four = quadrants(90, 60);
    for (name, bytes) in [
        ("jpeg", fixtures::jpeg_with_everything(&four)),
        ("png", fixtures::png_with_everything(&four)),
        ("webp", fixtures::webp_with_everything(&four)),
    ] {
        assert!(contains(&bytes, fixtures::SECRET));
        let id = app.image(&bytes);
        for transform in ["original", "thumb", "medium", "w=45", "f=auto", "f=png", "f=jpeg", "f=webp"] {
            let answer = app.delivered(&id, transform).expect(200);
            for what in [fixtures::SECRET, b"Exif", b"http://ns.adobe.com", b"Photoshop", b"eXIf", b"tEXt"] {
                let what_text = String::from_utf8_lossy(what);
                assert!(!contains(&answer.body, what), "{name}, {transform} holds {what_text:?}");
            }
            looks_like_quadrants(&answer.picture());
        }
    }
}

#[test]
fn colors_of_a_profile_are_converted() {
    let app = App::shared();
    let profile = blackbox::icc::rotated_colors();
    let segment = [b"ICC_PROFILE\0\x01\x01".as_slice(), &profile].concat();
    let stored_red = fixtures::jpeg(&plain(60, 60, [230, 20, 20]));
    let jpeg = fixtures::with_segments(&stored_red, &[(0xE2, segment)]);
    let id = app.image(&jpeg);
    for transform in ["w=30", "w=30,f=png", "w=30,f=webp", "thumb"] {
        let answer = app.delivered(&id, transform).expect(200);
        // What the profile calls red is green.
        answer.picture().looks(0.5, 0.5, [20, 230, 20, 255]);
        assert!(!contains(&answer.body, b"acsp"), "{transform} still carries the profile");
    }
    let original = app.delivered(&id, "original").expect(200);
    let [red, green, ..] = original.picture().at(0.5, 0.5);
    let keeps_profile = contains(&original.body, b"acsp");
    assert_eq!(red > green, keeps_profile, "the original is converted or keeps its profile, not both or neither");
}

#[test]
fn transparency_is_kept_or_laid_on_white() {
    let app = App::shared();
    let disc = fixtures::disc(80, [10, 10, 200]);
    for (name, bytes) in [("png", fixtures::rgba_png(&disc)), ("webp", fixtures::transparent_webp(&disc))] {
        let id = app.image(&bytes);
        let kept = app.delivered(&id, "w=40,f=png").picture();
        assert_eq!(kept.at(0.02, 0.02)[3], 0, "{name}");
        kept.looks(0.5, 0.5, [10, 10, 200, 255]);
        assert_eq!(app.delivered(&id, "w=40,f=webp").picture().at(0.02, 0.02)[3], 0, "{name}");
        app.delivered(&id, "w=40,f=jpeg").picture().looks(0.02, 0.02, [255, 255, 255, 255]);
        app.delivered(&id, "w=40,f=jpeg,bg=ff0000").picture().looks(0.02, 0.02, [255, 0, 0, 255]);
        app.delivered(&id, "w=40,f=png,bg=ff0000").picture().looks(0.02, 0.02, [255, 0, 0, 255]);
        // No dark rim: the edge of the disc is between blue and nothing, never black.
        let edge = app.delivered(&id, "w=20,f=png").picture().image.to_rgba8();
        for pixel in edge.pixels().filter(|pixel| pixel[3] > 40) {
            assert!(pixel[2] > 150 && pixel[0] < 60, "{name}: {pixel:?}");
        }
    }
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}
