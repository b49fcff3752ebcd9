//! Every format that is written, and what its options do to the file.

use std::sync::OnceLock;

use blackbox::files::{avif_size, frames, is_progressive, n_palette_colors, webp_chunks};
use blackbox::{Answer, App, fixtures, poll};
use fixtures::{CORNERS, quadrants};
use image::ImageFormat;

/// A photograph of 400 by 300.
fn photo() -> &'static str {
    static PHOTO: OnceLock<String> = OnceLock::new();
    PHOTO.get_or_init(|| App::shared().image(&fixtures::jpeg(&fixtures::photo(400, 300))))
}

/// Four colours, 200 by 150, as PNG.
fn drawing() -> &'static str {
    static DRAWING: OnceLock<String> = OnceLock::new();
    DRAWING.get_or_init(|| App::shared().image(&fixtures::png(&quadrants(200, 150))))
}

#[track_caller]
fn get(id: &str, transform: &str) -> Answer {
    App::shared().delivered(id, transform).expect(200)
}

/// The answer that stays, once nothing stands for it any more.
#[track_caller]
fn settled(id: &str, transform: &str) -> Answer {
    poll::until(&format!("{transform} is made"), || {
        Some(get(id, transform)).filter(|answer| answer.must_have("cache-control").contains("immutable"))
    })
}

/// What an AVIF shows, by taking it in again.
#[track_caller]
fn seen(avif: &[u8]) -> blackbox::pixels::Picture {
    get(&App::shared().image(avif), "f=png").picture()
}

#[test]
fn jpeg_is_plain_or_progressive() {
    for (transform, expected) in [
        ("w=200", false),
        ("w=200,f=jpeg", false),
        ("w=200,f=jpg", false),
        ("w=200,progressive=0", false),
        ("w=200,progressive=1", true),
        ("w=200,f=jpeg,progressive=1,q=40", true),
        // These ways through the renderer are others.
        ("w=200,gray=1,progressive=1", true),
        ("w=200,h=200,fit=contain,bg=f00,progressive=1", true),
    ] {
        let answer = get(photo(), transform);
        assert_eq!(answer.must_have("content-type"), "image/jpeg", "{transform}");
        assert_eq!(is_progressive(&answer.body), expected, "{transform}");
        assert_eq!(answer.picture().size().0, 200, "{transform}");
    }
    let both = ["w=100,f=jpeg", "w=100,f=jpeg,progressive=1"].map(|transform| get(drawing(), transform).picture());
    both.iter().for_each(|picture| picture.has_quarters("jpeg", CORNERS, 16));
    // The same coefficients in another order.
    assert!(both[0].image.to_rgb8() == both[1].image.to_rgb8(), "progressive shows the same");
}

#[test]
fn png_has_a_palette_of_as_many_colours_as_asked() {
    let exact = get(photo(), "w=100,f=png");
    assert_eq!(n_palette_colors(&exact.body), None);
    let mut last = usize::MAX;
    for n in [256, 64, 16, 4, 2] {
        let answer = get(photo(), &format!("w=100,f=png,colors={n}"));
        assert_eq!(answer.must_have("content-type"), "image/png", "{n}");
        let n_colors = n_palette_colors(&answer.body).unwrap_or_else(|| panic!("no palette of {n}"));
        assert!((2..=n).contains(&n_colors), "{n_colors} colours of {n}");
        let mut used: Vec<[u8; 4]> = answer.picture().image.to_rgba8().pixels().map(|pixel| pixel.0).collect();
        used.sort_unstable();
        used.dedup();
        assert!(used.len() <= n, "{} colours are used of {n}", used.len());
        assert!(answer.body.len() < last.min(exact.body.len()), "{n}: fewer colours are fewer bytes");
        last = answer.body.len();
    }
    // Four colours need no more, and lose nothing.
    let four = get(drawing(), "f=png,colors=8");
    assert!(n_palette_colors(&four.body).is_some_and(|n| n <= 8));
    four.picture().has_quarters("palette", CORNERS, 1);
    let disc = App::shared().image(&fixtures::rgba_png(&fixtures::disc(60, [10, 10, 200])));
    let disc = get(&disc, "f=png,colors=16").picture();
    assert_eq!(disc.at(0.01, 0.01)[3], 0);
    disc.looks(0.5, 0.5, [10, 10, 200, 255]);
}

#[test]
fn webp_loses_something_unless_told_otherwise() {
    let kinds = |transform: &str| webp_chunks(&get(photo(), transform).body);
    for transform in ["w=200,f=webp", "w=200,f=webp,lossless=0", "w=200,f=webp,q=30"] {
        assert!(kinds(transform).contains(&"VP8 ".to_owned()), "{transform}: {:?}", kinds(transform));
    }
    let lossless = get(photo(), "w=200,f=webp,lossless=1");
    assert!(webp_chunks(&lossless.body).contains(&"VP8L".to_owned()));
    assert_eq!(lossless.must_have("content-type"), "image/webp");
    let exact = get(photo(), "w=200,f=png").picture();
    assert!(lossless.picture().image.to_rgb8() == exact.image.to_rgb8(), "not a pixel is lost");
    let sizes = ["w=200,f=webp,q=20", "w=200,f=webp", "w=200,f=webp,q=95"].map(|at| get(photo(), at).body.len());
    assert!(sizes.is_sorted() && sizes[0] < sizes[2], "{sizes:?}");
    assert!(sizes[1] < lossless.body.len(), "a photograph is smaller with loss");
    get(drawing(), "w=100,f=webp").picture().has_quarters("webp", CORNERS, 16);
    let disc = App::shared().image(&fixtures::rgba_png(&fixtures::disc(61, [10, 10, 200])));
    for transform in ["f=webp", "f=webp,lossless=1"] {
        let disc = get(&disc, transform).picture();
        assert_eq!(disc.at(0.01, 0.01)[3], 0, "{transform}");
        disc.looks(0.5, 0.5, [10, 10, 200, 255]);
    }
}

#[test]
fn gif_keeps_its_colours_and_one_level_of_opacity() {
    let gif = get(drawing(), "w=100,f=gif");
    assert_eq!(gif.must_have("content-type"), "image/gif");
    assert_eq!(gif.picture().format, ImageFormat::Gif);
    gif.picture().has_quarters("gif", CORNERS, 8);
    let disc = App::shared().image(&fixtures::rgba_png(&fixtures::disc(62, [10, 10, 200])));
    let disc = get(&disc, "f=gif").picture();
    assert_eq!(disc.at(0.01, 0.01)[3], 0);
    disc.looks(0.5, 0.5, [10, 10, 200, 255]);
    let levels: Vec<u8> = disc.image.to_rgba8().pixels().map(|pixel| pixel.0[3]).collect();
    assert!(levels.iter().all(|level| [0, 255].contains(level)));
}

#[test]
fn avif_comes_after_what_stands_for_it() {
    let app = App::shared();
    let id = app.image(&fixtures::png(&quadrants(120, 90)));
    let first = get(&id, "w=60,f=avif");
    assert_eq!(first.must_have("content-type"), "image/webp", "the stand-in");
    assert_eq!(first.must_have("cache-control"), "public, max-age=10");
    assert_eq!(first.header("vary"), None, "nothing was negotiated");
    first.picture().has_quarters("stand-in", CORNERS, 24);
    let avif = settled(&id, "w=60,f=avif");
    assert_eq!(avif.must_have("content-type"), "image/avif");
    assert_ne!(avif.must_have("etag"), first.must_have("etag"));
    assert_eq!(avif_size(&avif.body), (60, 45));
    assert_eq!(seen(&avif.body).size(), (60, 45));
    seen(&avif.body).has_quarters("avif", CORNERS, 24);
    // Whoever kept the stand-in gets the other.
    let path = format!("/i/{id}/w=60,f=avif");
    let again = app.call("GET", &path).header("if-none-match", first.must_have("etag")).send().expect(200);
    assert_eq!(again.body, avif.body);
    app.call("GET", &path).header("if-none-match", avif.must_have("etag")).send().expect(304);
}

#[test]
fn avif_has_a_quality_and_opacity() {
    let sizes = ["w=90,f=avif,q=20", "w=90,f=avif", "w=90,f=avif,q=90"].map(|at| settled(photo(), at).body.len());
    assert!(sizes.is_sorted() && sizes[0] < sizes[2], "{sizes:?}");
    let disc = App::shared().image(&fixtures::rgba_png(&fixtures::disc(63, [10, 10, 200])));
    let disc = seen(&settled(&disc, "f=avif").body);
    assert!(disc.at(0.02, 0.02)[3] < 8, "{:?}", disc.at(0.02, 0.02));
    disc.looks(0.5, 0.5, [10, 10, 200, 255]);
}

#[test]
fn animations_stay_animated_where_the_format_can() {
    let app = App::shared();
    let shades = [[220, 30, 30], [30, 200, 30], [30, 30, 220]];
    for (name, bytes) in [
        ("gif", fixtures::animated_gif(80, 60, 3)),
        ("png", fixtures::animated_png(80, 60, 3)),
        ("webp", fixtures::animated_webp(80, 60, 3)),
    ] {
        let id = app.image(&bytes);
        for (transform, size) in [
            ("w=40,f=gif", (40, 30)),
            ("w=40,f=webp", (40, 30)),
            ("w=40,f=webp,lossless=1", (40, 30)),
            ("w=20,h=20,fit=cover,f=gif", (20, 20)),
            ("w=40,rotate=90,f=webp", (40, 53)),
            ("f=gif,anim=1", (80, 60)),
            ("w=40,h=40,fit=contain,bg=fff,f=webp", (40, 40)),
        ] {
            let found = frames(&get(&id, transform).body);
            assert_eq!(found.len(), 3, "{name}, {transform}");
            for ((frame, delay), shade) in found.iter().zip(shades) {
                assert_eq!(frame.dimensions(), size, "{name}, {transform}");
                // The fixture of PNG leaves the time to whoever shows it.
                assert!(*delay == 100 || name == "png", "{name}, {transform}: {delay} ms");
                let middle = frame[(size.0 / 2, size.1 / 2)].0;
                let is_close = middle.iter().zip(shade).all(|(found, expected)| found.abs_diff(expected) <= 24);
                assert!(is_close, "{name}, {transform}: {middle:?}, expected about {shade:?}");
            }
        }
        for transform in ["w=40,f=gif,anim=0", "w=40,f=webp,anim=0", "w=40,f=png", "w=40,f=jpeg", "w=40,anim=0"] {
            let still = get(&id, transform);
            let format = still.picture().format;
            if matches!(format, ImageFormat::Gif) {
                assert_eq!(frames(&still.body).len(), 1, "{name}, {transform}");
            } else if format == ImageFormat::WebP {
                assert!(!webp_chunks(&still.body).contains(&"ANMF".to_owned()), "{name}, {transform}");
            }
            still.picture().looks(0.5, 0.5, [220, 30, 30, 255]);
        }
    }
    // As it came, unless something else is asked for.
    for (bytes, media_type, n_frames) in
        [(fixtures::animated_gif(64, 48, 3), "image/gif", 3), (fixtures::animated_webp(64, 48, 3), "image/webp", 3)]
    {
        let answer = get(&app.image(&bytes), "w=32");
        assert_eq!(answer.must_have("content-type"), media_type);
        assert_eq!(frames(&answer.body).len(), n_frames, "{media_type}");
    }
    let png = get(&app.image(&fixtures::animated_png(64, 48, 3)), "w=32");
    assert_eq!(png.must_have("content-type"), "image/png");
}

#[test]
fn a_file_is_no_larger_than_asked() {
    for (format, most) in [("jpeg", 6000), ("webp", 4000), ("jpeg,progressive=1", 5000)] {
        let free = get(photo(), &format!("w=300,f={format},q=95"));
        assert!(free.body.len() > most, "{format}: the limit has to mean something, {}", free.body.len());
        let bound = settled(photo(), &format!("w=300,f={format},q=95,max-bytes={most}"));
        assert!(bound.body.len() <= most, "{format}: {} bytes of {most}", bound.body.len());
        // As good as it can be: a file of less than half would be a sign of a search that gave up.
        assert!(bound.body.len() * 2 > most, "{format}: {} bytes of {most}", bound.body.len());
        assert_eq!(bound.picture().size(), (300, 225), "{format}");
    }
    let small = get(photo(), "w=300,f=jpeg,q=60");
    let bound = get(photo(), "w=300,f=jpeg,q=60,max-bytes=900000");
    // The way there is another, the picture is not.
    let (small_bytes, bound_bytes) = (small.body.len() as f64, bound.body.len() as f64);
    assert!((0.95..1.05).contains(&(bound_bytes / small_bytes)), "room to spare changes nothing");
}
