//! Every format that is taken: that it becomes ready, looks as it did, and is handed out as what no browser runs.

use blackbox::{App, fixtures};
use fixtures::{CORNERS, quadrants, rgba, stored};

/// The quarters of the fixtures that lie beside the decoders, which are of 33 by 21 pixels.
const STORED: [[u8; 4]; 4] = [[220, 40, 30, 255], [40, 200, 60, 255], [30, 60, 210, 255], [240, 240, 240, 255]];

/// [`STORED`] where the last quarter is nothing.
const CLEAR: [[u8; 4]; 4] = [STORED[0], STORED[1], STORED[2], [0; 4]];

/// The quarters of the WebP beside the renderer, of 32 by 24 pixels.
const LOSSY_WEBP: [[u8; 4]; 4] = [[220, 30, 30, 255], [30, 180, 30, 255], [30, 30, 220, 255], [240, 240, 240, 255]];

/// A file, and what has to be known of it.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    format: &'static str,
    size: (u32, u32),
    quarters: [[u8; 4]; 4],
    /// What it is delivered as where nothing else is asked for.
    comes_as: &'static str,
}

fn case(name: &'static str, bytes: Vec<u8>, comes_as: &'static str) -> Case {
    let format = name.split(' ').next().unwrap_or(name);
    Case { name, bytes, format, size: (80, 60), quarters: CORNERS, comes_as }
}

fn stored_case(name: &'static str, path: &str, comes_as: &'static str) -> Case {
    let quarters = if name.contains("clear") { CLEAR } else { STORED };
    Case { size: (33, 21), quarters, ..case(name, stored(path), comes_as) }
}

/// A picture in four colours, the last of them nothing.
fn clear_quadrants() -> image::RgbaImage {
    let mut image = rgba(&quadrants(80, 60));
    image.enumerate_pixels_mut().filter(|(x, y, _)| *x >= 40 && *y >= 30).for_each(|(_, _, pixel)| pixel.0 = [0; 4]);
    image
}

fn cases() -> Vec<Case> {
    let four = quadrants(80, 60);
    let opaque = rgba(&four);
    let clear = clear_quadrants();
    let clear_quarters = [CORNERS[0], CORNERS[1], CORNERS[2], [0; 4]];
    let seen_through = |case: Case| Case { quarters: clear_quarters, ..case };
    let (avif, jxl) = ("crates/avif/src/fixtures", "functions/resize/src/pixels/decode/fixtures");
    let lossy_webp = stored("functions/resize/src/pixels/fixtures/lossy.webp");
    vec![
        case("jpeg", fixtures::jpeg(&four), "image/jpeg"),
        case("png", fixtures::png(&four), "image/png"),
        case("gif", fixtures::gif(&four), "image/gif"),
        case("webp", fixtures::webp(&four), "image/webp"),
        Case { size: (32, 24), quarters: LOSSY_WEBP, ..case("webp with loss", lossy_webp, "image/webp") },
        case("bmp", fixtures::bmp(&four), "image/jpeg"),
        case("tiff", fixtures::tiff(&four), "image/jpeg"),
        seen_through(case("tiff, clear", fixtures::rgba_tiff(&clear), "image/png")),
        case("ico", fixtures::ico(&opaque), "image/png"),
        seen_through(case("ico, clear", fixtures::ico(&clear), "image/png")),
        case("svg", fixtures::svg(80, 60, ""), "image/png"),
        stored_case("avif", &format!("{avif}/full.avif"), "image/jpeg"),
        stored_case("avif of half the colour", &format!("{avif}/quarter.avif"), "image/jpeg"),
        stored_case("avif of ten bits", &format!("{avif}/deep.avif"), "image/jpeg"),
        stored_case("avif without loss", &format!("{avif}/lossless.avif"), "image/jpeg"),
        stored_case("avif, clear", &format!("{avif}/alpha.avif"), "image/webp"),
        Case { size: (28, 18), ..stored_case("avif, cropped", &format!("{avif}/cropped.avif"), "image/jpeg") },
        stored_case("jxl", &format!("{jxl}/lossy.jxl"), "image/jpeg"),
        stored_case("jxl without loss", &format!("{jxl}/lossless.jxl"), "image/jpeg"),
        stored_case("jxl, clear", &format!("{jxl}/alpha.jxl"), "image/webp"),
    ]
}

/// JPEGs that few decoders know, those of browsers among the others.
fn rare_jpegs() -> Vec<Case> {
    let folder = "functions/resize/src/pixels/decode/fixtures";
    vec![
        stored_case("jpeg of twelve bits", &format!("{folder}/deep.jpg"), "image/jpeg"),
        stored_case("jpeg in arithmetic code", &format!("{folder}/arithmetic.jpg"), "image/jpeg"),
        stored_case(
            "jpeg in arithmetic code, progressive",
            &format!("{folder}/arithmetic_progressive.jpg"),
            "image/jpeg",
        ),
    ]
}

#[test]
fn each_becomes_ready_and_looks_as_it_did() {
    let app = App::shared();
    for Case { name, bytes, format, size, quarters, comes_as } in cases().into_iter().chain(rare_jpegs()) {
        let asset = app.settled(&app.upload(&bytes).expect(202).id());
        assert_eq!(asset["state"], "ready", "{name}: {asset:#}");
        let format = format.trim_end_matches(',');
        assert_eq!((&asset["format"], &asset["width"]), (&format.into(), &size.0.into()), "{name}: {asset:#}");
        assert_eq!(asset["height"], size.1, "{name}: {asset:#}");
        let id = asset["id"].as_str().expect("an id");
        app.ready(id);

        let whole = app.delivered(id, "f=png").picture();
        assert_eq!(whole.size(), size, "{name}");
        whole.has_quarters(name, quarters, 24);
        // Large patches of one colour, far from any edge, are what half of the width shows too.
        let half = app.delivered(id, &format!("w={}", size.0 / 2)).expect(200);
        assert_eq!(half.must_have("content-type"), comes_as, "{name}");
        let height = (f64::from(size.1 * (size.0 / 2)) / f64::from(size.0)).round() as u32;
        assert_eq!(half.picture().size(), (size.0 / 2, height), "{name}");
        half.picture().has_quarters(name, quarters, 40);
        // The placeholder and the presets are made of the same pixels.
        let image = app.get(&format!("/v1/images/{id}")).expect(200).json();
        assert!(image["thumbhash"].as_str().is_some_and(|hash| hash.len() >= 8), "{name}: {image:#}");
        app.delivered(id, "thumb").picture().has_quarters(name, quarters, 40);
    }
}

#[test]
fn an_original_is_what_a_browser_shows_and_never_runs() {
    let app = App::shared();
    for Case { name, bytes, size, quarters, .. } in cases() {
        let id = app.image(&bytes);
        let original = app.delivered(&id, "original").expect(200);
        let media_type = original.must_have("content-type").to_owned();
        let is_shown_by_all = ["image/jpeg", "image/png", "image/gif", "image/webp"].contains(&media_type.as_str());
        assert!(is_shown_by_all, "{name} is delivered as {media_type}");
        assert_eq!(original.must_have("content-security-policy"), "default-src 'none'; sandbox", "{name}");
        assert_eq!(original.must_have("x-content-type-options"), "nosniff", "{name}");
        let picture = original.picture();
        assert_eq!(picture.format.to_mime_type(), media_type, "{name}");
        assert_eq!(picture.size(), size, "{name}");
        picture.has_quarters(name, quarters, 24);
    }
}

#[test]
fn the_original_of_a_rare_jpeg_is_what_was_given_without_its_metadata() {
    let app = App::shared();
    for Case { name, bytes, .. } in rare_jpegs() {
        let secret = [b"http://ns.adobe.com/xap/1.0/\0".as_slice(), fixtures::SECRET].concat();
        let source = blackbox::Source::here().serve(fixtures::with_segments(&bytes, &[(0xE1, secret)]));
        let id = app.ingest(&source.url);
        assert_eq!(app.settled(&id)["state"], "ready", "{name}");
        app.ready(&id);
        assert_eq!(app.delivered(&id, "original").expect(200).body, bytes, "{name}");
    }
}

#[test]
fn nothing_that_an_svg_says_is_run_or_fetched() {
    let app = App::shared();
    let source = blackbox::Source::here().serve(fixtures::png(&fixtures::plain(80, 60, [255, 0, 255])));
    let hostile = format!(
        "<script>alert(1)</script><image href='{0}' width='80' height='60'/>\
         <image href='file:///etc/passwd' width='80' height='60'/><style>@import url({0});</style>\
         <foreignObject width='80' height='60'><body xmlns='http://www.w3.org/1999/xhtml' onload='alert(2)'/>\
         </foreignObject><a href='javascript:alert(3)'><rect width='1' height='1' fill='none'/></a>",
        source.url
    );
    let id = app.image(&fixtures::svg(80, 60, &hostile));
    for transform in ["original", "w=40", "f=png", "f=webp", "f=auto", "thumb"] {
        let answer = app.delivered(&id, transform).expect(200);
        assert_ne!(answer.must_have("content-type"), "image/svg+xml", "{transform}");
        let is_text = answer.body.windows(5).any(|window| window == b"alert" || window == b"<svg ");
        assert!(!is_text, "{transform} holds the source of the picture");
        answer.picture().has_quarters(transform, CORNERS, 40);
    }
    assert_eq!(source.n_hits(), 0, "somebody has fetched what the picture names");
}

#[test]
fn an_svg_is_drawn_at_the_size_that_is_asked_for() {
    let app = App::shared();
    let id = app.image(&fixtures::svg(40, 30, "<text x='22' y='26' font-size='8'>Text</text>"));
    let large = app.delivered(&id, "w=800,enlarge=1,f=png").picture();
    assert_eq!(large.size(), (800, 600));
    large.has_quarters("enlarged", CORNERS, 8);
    // Scaled up from 40 pixels, the edge between two quarters would be some twenty pixels wide.
    let image = large.image.to_rgb8();
    for (x, expected) in [(397, CORNERS[0]), (402, CORNERS[1])] {
        let found = image[(x, 100)].0;
        assert!(found.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) <= 8), "{x}: {found:?}");
    }
    let n_inked = image.pixels().filter(|pixel| pixel.0.iter().all(|channel| *channel < 16)).count();
    assert!(n_inked > 1000, "there is no text: {n_inked} black pixels");
}

#[test]
fn an_svg_that_asks_for_too_much_is_refused_in_time() {
    let app = App::shared();
    let mut nested = String::from("<defs><g id='a0'><rect width='40' height='40'/></g>");
    for level in 1..20 {
        let uses = format!("<use href='#a{}'/>", level - 1).repeat(10);
        nested.push_str(&format!("<g id='a{level}'>{uses}</g>"));
    }
    nested.push_str("</defs><use href='#a19'/>");
    let entities = b"<!DOCTYPE svg [<!ENTITY a '1234567890'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>\
        <svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><text>&b;</text></svg>";
    let deep = format!("{}{}", "<g>".repeat(5000), "</g>".repeat(5000));
    for (name, bytes) in [
        ("references", fixtures::svg(40, 40, &nested)),
        ("depth", fixtures::svg(40, 40, &deep)),
        ("entities", entities.to_vec()),
    ] {
        let begun = std::time::Instant::now();
        let answer = app.upload(&bytes);
        if answer.status == 202 {
            let code = app.failure(&answer.id());
            assert!(
                ["image-corrupt", "image-too-large", "image-format-unsupported"].contains(&code.as_str()),
                "{name}: {code}"
            );
        } else {
            assert!([415, 422].contains(&answer.status), "{name}: {answer}");
        }
        assert!(begun.elapsed().as_secs() < 30, "{name} took {:?}", begun.elapsed());
    }
    app.upload(&fixtures::svg(100_000, 100_000, "")).problem(422, "image-too-many-pixels");
    app.get("/healthz").expect(200);
}

#[test]
fn what_nothing_here_decodes_says_so() {
    let app = App::shared();
    let heic = stored("functions/resize/src/pixels/decode/fixtures/full.heic");
    let problem = app.upload(&heic).problem(415, "image-format-unsupported");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("HEIC")), "{problem:#}");
    let source = blackbox::Source::here().serve(heic);
    assert_eq!(app.failure(&app.ingest(&source.url)), "image-format-unsupported");
}
