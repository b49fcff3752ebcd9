//! Files that are no image, or no sound one, or too much of one: by upload and by download.

use blackbox::app::Options;
use blackbox::{App, Source, fixtures, fresh};
use fixtures::{CORNERS, beginning, first_scan, photo, quadrants};

/// Uploads `bytes`, which must be refused or fail with `code`, and leave nothing to be seen.
#[track_caller]
fn upload(app: &App, name: &str, bytes: &[u8], status: u16, code: &str) {
    let category = app.category(&fresh("broken"), None);
    let answer = app.upload_with(&[("category", &category)], bytes);
    if answer.status == 202 {
        // Damage behind the header is found by whoever decodes.
        assert_eq!(code, "image-corrupt", "{name} was taken: {answer}");
        let id = answer.id();
        assert_eq!(app.failure(&id), code, "{name}");
        app.shows_nothing_of(&id);
    } else {
        let found = answer.json()["code"].to_string();
        assert_eq!((answer.status, found.trim_matches('"')), (status, code), "{name}: {answer}");
        answer.problem(status, code);
        assert_eq!(answer.header("location"), None, "{name}");
    }
    assert_eq!(app.listed(&format!("category={category}")), Vec::<String>::new(), "{name}");
    app.delete(&format!("/v1/categories/{category}")).expect(204);
}

/// Downloads each of `cases`, which must fail with its code, and leave nothing to be seen.
fn download(app: &App, cases: &[(&str, Vec<u8>, &str)]) {
    let ids: Vec<String> =
        cases.iter().map(|(_, bytes, _)| app.ingest(&Source::here().serve(bytes.clone()).url)).collect();
    for ((name, _, code), id) in cases.iter().zip(ids) {
        assert_eq!(app.failure(&id), *code, "{name}");
        app.shows_nothing_of(&id);
    }
}

#[test]
fn what_is_no_image_is_refused() {
    let app = App::shared();
    let heic = fixtures::stored("functions/resize/src/pixels/decode/fixtures/full.heic");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("html", b"<!DOCTYPE html><title>404</title>".to_vec()),
        ("xml", b"<?xml version=\"1.0\"?><feed xmlns=\"http://www.w3.org/2005/Atom\"/>".to_vec()),
        ("json", b"{\"error\": true}".to_vec()),
        ("pdf", b"%PDF-1.7 and so on".to_vec()),
        ("heic", heic),
        ("cursor", [b"\0\0\x02\0\x01\0".as_slice(), &[0; 40]].concat()),
        ("jpeg 2000", [b"\0\0\0\x0CjP  \r\n\x87\n".as_slice(), &[0; 40]].concat()),
        ("video", [b"\0\0\0\x18ftypisom\0\0\0\0mp42isom".as_slice(), &[0; 64]].concat()),
        ("gzip", [b"\x1f\x8b\x08".as_slice(), &[0; 40]].concat()),
        ("zip", [b"PK\x03\x04".as_slice(), &[0; 40]].concat()),
        ("zeros", vec![0; 5000]),
        ("executable", [b"\x7FELF".as_slice(), &[0; 40]].concat()),
    ];
    for (name, bytes) in &cases {
        upload(app, name, bytes, 415, "image-format-unsupported");
    }
    let downloads: Vec<_> = cases.into_iter().map(|(name, bytes)| (name, bytes, "image-format-unsupported")).collect();
    download(app, &downloads);
}

#[test]
fn an_empty_file_is_refused() {
    let app = App::shared();
    upload(app, "empty", b"", 422, "image-empty");
    app.upload(b"").problem(422, "image-empty");
    let call = app.call("POST", "/v1/assets").header("content-type", "image/png").chunked(b"".to_vec());
    call.send().problem(422, "image-empty");
}

#[test]
fn a_file_cut_off_at_any_tenth_is_refused() {
    let app = App::shared();
    let still = photo(160, 120);
    for (name, whole) in [
        ("png", fixtures::png(&still)),
        ("interlaced png", fixtures::interlaced_png(&still)),
        ("webp", fixtures::webp(&still)),
        ("gif", fixtures::gif(&still)),
        ("bmp", fixtures::bmp(&still)),
        ("tiff", fixtures::tiff(&still)),
        ("ico", fixtures::ico(&fixtures::rgba(&still))),
        ("avif", fixtures::stored("crates/avif/src/fixtures/full.avif")),
        ("jxl", fixtures::stored("functions/resize/src/pixels/decode/fixtures/lossy.jxl")),
        ("svg", fixtures::svg(160, 120, "")),
    ] {
        for tenths in 1..10 {
            upload(app, &format!("{name}, {tenths} tenths"), &beginning(&whole, tenths), 422, "image-corrupt");
        }
        download(app, &[(name, beginning(&whole, 5), "image-corrupt"), (name, beginning(&whole, 9), "image-corrupt")]);
    }
}

/// The transforms that between them take every way from a JPEG, and the sizes of what comes out.
const WAYS: [(&str, (u32, u32)); 6] = [
    ("original", (160, 120)),
    ("w=80", (80, 60)),
    ("w=80,f=png", (80, 60)),
    ("w=20,f=png", (20, 15)),
    ("f=webp", (160, 120)),
    ("w=60,h=60,fit=cover", (60, 60)),
];

/// Uploads a JPEG of quadrants that is damaged, which must become ready and show `quarters`.
#[track_caller]
fn shows(app: &App, name: &str, bytes: &[u8], quarters: [[u8; 4]; 4]) {
    let id = app.image(bytes);
    let asset = app.asset(&id);
    assert_eq!((&asset["width"], &asset["height"]), (&160.into(), &120.into()), "{name}: {asset:#}");
    for (transform, size) in WAYS {
        let picture = app.delivered(&id, transform).expect(200).picture();
        assert_eq!(picture.size(), size, "{name}, {transform}");
        picture.has_quarters(&format!("{name}, {transform}"), quarters, 24);
    }
    app.delivered(&id, "thumb").expect(200).picture().has_quarters(&format!("{name}, thumb"), quarters, 24);
}

#[test]
fn a_damaged_jpeg_is_shown_as_far_as_it_goes() {
    const MISSING: [u8; 4] = [128, 128, 128, 255];
    let app = App::shared();
    let four = quadrants(160, 120);
    let cut_off = |whole: &[u8]| whole[..first_scan(whole).midpoint(whole.len())].to_vec();
    let [upper_left, upper_right, _, lower_right] = CORNERS;
    let whole = fixtures::jpeg(&four);
    let upper_half = [upper_left, upper_right, MISSING, MISSING];
    shows(app, "cut off", &cut_off(&whole), upper_half);
    // What is stored above is shown on the right.
    let on_its_side = cut_off(&fixtures::oriented_jpeg(&four, 6));
    shows(app, "on its side, cut off", &on_its_side, [MISSING, upper_right, MISSING, lower_right]);
    shows(app, "progressive, cut off", &beginning(&fixtures::progressive_jpeg(&four), 9), CORNERS);
    shows(app, "without its end", &whole[..whole.len() - 2], CORNERS);
    let mut altered = whole.clone();
    let middle = first_scan(&whole).midpoint(whole.len());
    altered[middle..middle + 8].fill(0xFF);
    shows(app, "altered", &altered, upper_half);

    // By download it is the same, as long as no more was announced.
    let id = app.ingest(&Source::here().serve(cut_off(&fixtures::jpeg(&photo(160, 120)))).url);
    app.ready(&id);
    assert_eq!(app.delivered(&id, "w=80").picture().size(), (80, 60));
}

#[test]
fn a_jpeg_of_which_nothing_can_be_decoded_is_refused() {
    let app = App::shared();
    let still = photo(160, 120);
    let cases: Vec<_> = [
        ("jpeg", fixtures::jpeg(&still)),
        ("progressive jpeg", fixtures::progressive_jpeg(&still)),
        ("oriented jpeg", fixtures::oriented_jpeg(&still, 6)),
    ]
    .into_iter()
    .flat_map(|(name, whole)| {
        let scan = first_scan(&whole);
        let empty = [&whole[..scan], b"\xFF\xD9"].concat();
        [whole[..scan / 2].to_vec(), whole[..scan - 1].to_vec(), whole[..scan].to_vec(), empty]
            .map(|bytes| (name, bytes, "image-corrupt"))
    })
    .collect();
    for (name, bytes, code) in &cases {
        upload(app, &format!("{name}, {} bytes", bytes.len()), bytes, 422, code);
    }
    download(app, &cases);
}

#[test]
fn damage_inside_a_file_is_noticed() {
    let app = App::shared();
    let damaged = |mut bytes: Vec<u8>, at: usize| {
        let start = bytes.len() * at / 10;
        bytes[start..start + 40].fill(0xA5);
        bytes
    };
    let png = fixtures::png(&photo(160, 120));
    // WebP has no checksum: most damage there makes another picture.
    for (name, bytes) in [("png", damaged(png.clone(), 5)), ("png header", damaged(png, 0))] {
        let answer = app.upload(&bytes);
        if answer.status == 202 {
            assert_eq!(app.failure(&answer.id()), "image-corrupt", "{name}");
        } else {
            assert!([415, 422].contains(&answer.status), "{name}: {answer}");
        }
    }
}

#[test]
fn headers_without_pixels_are_refused() {
    let app = App::shared();
    for (name, bytes) in [
        ("jpeg start", b"\xFF\xD8\xFF".to_vec()),
        ("jpeg start and end", b"\xFF\xD8\xFF\xD9".to_vec()),
        ("png signature", b"\x89PNG\r\n\x1a\n".to_vec()),
        ("png of no width", fixtures::claiming_png(0, 10)),
        ("gif header", b"GIF89a\x0A\0\x0A\0\0\0\0;".to_vec()),
        ("riff", b"RIFF\x04\0\0\0WEBP".to_vec()),
        ("avif", [b"\0\0\0\x18ftypavif\0\0\0\0mif1avif".as_slice(), &[0; 64]].concat()),
        ("jpeg xl", [b"\xFF\x0A".as_slice(), &[0; 40]].concat()),
        ("tiff", [b"II*\0\x08\0\0\0".as_slice(), &[0; 40]].concat()),
        ("ico", [b"\0\0\x01\0\x01\0".as_slice(), &[0; 40]].concat()),
        ("svg without its namespace", b"<svg width='9' height='9'></svg>".to_vec()),
        ("png with too few pixels", fixtures::claiming_png(500, 500)),
    ] {
        upload(app, name, &bytes, 422, "image-corrupt");
    }
}

#[test]
fn more_pixels_than_allowed_are_refused_before_anything_is_decoded() {
    let app = App::shared();
    let bomb = fixtures::claiming_png(100_000, 100_000);
    app.upload(&bomb).over_limit(422, "image-too-many-pixels", 50_000_000, Some(10_000_000_000));
    upload(app, "bomb", &bomb, 422, "image-too-many-pixels");
    download(app, &[("bomb", bomb, "image-too-many-pixels")]);

    let small = App::small();
    let over = fixtures::png(&fixtures::plain(1001, 1000, [9, 8, 7]));
    small.upload(&over).over_limit(422, "image-too-many-pixels", 1_000_000, Some(1_001_000));
    let id = small.ingest(&Source::here().serve(fixtures::claiming_png(1001, 1000)).url);
    let error = small.settled(&id)["error"].clone();
    assert_eq!((error["limit"].as_u64(), error["actual"].as_u64()), (Some(1_000_000), Some(1_001_000)), "{error}");
    let mut sides = fixtures::gif(&photo(10, 10));
    sides[6..10].fill(0xFF);
    small.upload(&sides).problem(422, "image-too-many-pixels");
    small.upload(&fixtures::claiming_png(70_000, 2)).over_limit(422, "image-too-many-pixels", 65_535, Some(70_000));
}

#[test]
fn more_memory_than_allowed_is_refused_before_anything_is_decoded() {
    let app = App::shared();
    let (limit, actual) = (448 << 20, 12 * 8000 * 5000);
    let deep = fixtures::claiming_rgb16_png(8000, 5000);
    app.upload(&deep).over_limit(422, "image-too-large", limit, Some(actual));
    upload(app, "sixteen bits", &deep, 422, "image-too-large");
    download(app, &[("sixteen bits", deep.clone(), "image-too-large")]);
    let id = app.ingest(&Source::here().serve(deep).url);
    let error = app.settled(&id)["error"].clone();
    assert_eq!((error["limit"].as_u64(), error["actual"].as_u64()), (Some(limit), Some(actual)), "{error}");
    // Of eight bits it takes half of that: what is wrong with this one is found by decoding it.
    upload(app, "eight bits", &fixtures::claiming_png(8000, 5000), 422, "image-corrupt");
}

#[test]
fn the_largest_that_is_let_in_fits_into_512_megabytes() {
    let app = App::start(Options::for_tests().instances_of(512_000_000));
    for (name, bytes) in [
        // 12 bytes a pixel while it is decoded, and 9.
        ("sixteen bits of gray and of opacity", fixtures::gray_alpha16_png(6256, 6256)),
        ("places in a palette", fixtures::plain_gif(7070, 7070)),
    ] {
        let id = app.upload(&bytes).expect(202).id();
        assert_eq!(app.settled(&id)["state"], "ready", "{name}");
        for transform in ["w=2047,f=jpeg", "w=3000,f=jpeg"] {
            assert_eq!(app.delivered(&id, transform).status, 200, "{name}, {transform}");
        }
    }
}

#[test]
fn more_frames_than_allowed_are_refused() {
    let app = App::shared();
    let cases = [
        ("gif", fixtures::animated_gif(8, 8, 257)),
        ("png", fixtures::animated_png(8, 8, 257)),
        ("webp", fixtures::animated_webp(8, 8, 257)),
    ];
    for (name, bytes) in &cases {
        app.upload(bytes).over_limit(422, "image-too-many-frames", 256, Some(257));
        upload(app, name, bytes, 422, "image-too-many-frames");
    }
    let downloads: Vec<_> = cases.into_iter().map(|(name, bytes)| (name, bytes, "image-too-many-frames")).collect();
    download(app, &downloads);
    App::small().upload(&fixtures::animated_gif(8, 8, 4)).over_limit(422, "image-too-many-frames", 3, Some(4));
    App::small().image(&fixtures::animated_gif(8, 8, 3));
}

#[test]
fn the_app_is_alive_after_all_that() {
    let app = App::shared();
    app.image(&fixtures::jpeg(&quadrants(33, 44)));
    app.get("/healthz").expect(200);
}
