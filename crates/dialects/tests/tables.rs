//! URLs of other products, the native transforms that they become, and the sizes that those come to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dialects::{DialectErrorKind, Size};
use transform::{Accept, Format, Plan, Source, Spec};

const ID: &str = "01hzy3v7q8e9r0t1a2b3c4d5e6";

/// Lowers a URL whose path or query has `{id}` or `{b64}` where the image is named.
fn lower(url: &str, size: Size) -> Result<String, dialects::DialectError> {
    let url = with_id(url);
    let (path, query) = url.split_once('?').unwrap_or((&url, ""));
    let request = dialects::parse(path, query).unwrap_or_else(|| panic!("{url} is in no dialect"))?;
    assert_eq!(request.id, ID, "{url}");
    let lowered = request.lower(size)?;
    assert_eq!(lowered.id, ID, "{url}");
    Ok(lowered.transform)
}

fn with_id(text: &str) -> String {
    text.replace("{id}", ID).replace("{b64}", &URL_SAFE_NO_PAD.encode(ID))
}

fn size(text: &str) -> Size {
    let (width, height) = text.split_once('x').expect("test file is broken");
    Size { width: number(width), height: number(height) }
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or_else(|_| panic!("test file is broken: {text:?} is no number"))
}

/// What of a file's lines are cases: columns between bars, trimmed.
fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    // Bars have spaces around them; those within a URL have not.
    lines.map(|line| line.split(" | ").map(str::trim).collect())
}

/// Width and height of the result, the part of the turned source that is seen (left, top, width, height in pixels of
/// the source), and how far off a side of it may be, because results are of whole pixels.
fn geometry(transform: &str, size: Size) -> Option<((u32, u32), [f64; 4], f64)> {
    let source = Source::still(size.width, size.height, Format::Jpeg, false);
    let transform = match Spec::parse(transform).unwrap_or_else(|error| panic!("{transform}: {error}")) {
        Spec::Transform(transform) => transform,
        Spec::Original => {
            return Some(((size.width, size.height), [0.0, 0.0, size.width.into(), size.height.into()], 0.0));
        }
        Spec::Preset(_) => return None,
    };
    let plan = Plan::resolve(&transform, &source, Accept::default()).unwrap_or_else(|error| panic!("{error}"));
    let Plan::Render(render) = plan else { panic!("a transform is rendered") };
    let geometry = render.geometry()?;
    let (left, top, region) = match render.crop() {
        Some(crop) => (crop.window.x, crop.window.y, (crop.window.width, crop.window.height)),
        None => (0, 0, (size.width, size.height)),
    };
    let scale = |region: u32, scaled: u32| f64::from(region) / f64::from(scaled);
    let (x, y) = (scale(region.0, geometry.scaled.0), scale(region.1, geometry.scaled.1));
    let window = geometry.window;
    let part = [
        f64::from(left) + f64::from(window.x) * x,
        f64::from(top) + f64::from(window.y) * y,
        f64::from(window.width) * x,
        f64::from(window.height) * y,
    ];
    Some(((geometry.canvas.width, geometry.canvas.height), part, x.max(y).max(1.0)))
}

fn check_table(table: &str, least: usize) {
    let mut n_rows = 0;
    let mut wrong = String::new();
    for row in rows(table) {
        let [source, url, transform, expected] = row[..] else { panic!("test file is broken: {row:?}") };
        let found = match lower(url, size(source)) {
            Ok(found) => found,
            Err(error) => {
                wrong += &format!("{url}\n  is refused: {error}\n");
                continue;
            }
        };
        if found != with_id(transform) {
            wrong += &format!("{url}\n  becomes {found}\n  and not {transform}\n");
        }
        let words: Vec<&str> = expected.split(' ').collect();
        match geometry(&found, size(source)) {
            None if expected == "-" => {}
            Some((result, part, tolerance)) if words[0] != "-" => {
                let promised = size(words[0]);
                if result != (promised.width, promised.height) {
                    wrong += &format!("{url}\n  has {result:?} pixels, not {expected}\n");
                }
                let promised = words.get(1).map(|part| part.split(',').map(number));
                let is_off = |(found, promised): (&f64, u32)| (found - f64::from(promised)).abs() > tolerance;
                if promised.is_some_and(|promised| part.iter().zip(promised).any(is_off)) {
                    wrong += &format!("{url}\n  shows {part:?}, not {expected}\n");
                }
            }
            other => wrong += &format!("{url}\n  has the geometry {other:?}, not {expected}\n"),
        }
        n_rows += 1;
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(n_rows >= least, "only {n_rows} rows are left");
}

#[test]
fn imgproxy_urls_become_what_its_documentation_promises() {
    check_table(include_str!("tables/imgproxy.txt"), 70);
}

/// The same sizes as those that imgproxy's own tests demand.
#[test]
fn imgproxy_sizes_are_those_of_imgproxy() {
    let mut n_rows = 0;
    for row in rows(include_str!("tables/imgproxy_sizes.txt")) {
        let [url, expected] = row[..] else { panic!("test file is broken: {row:?}") };
        let (source, expected) = (Size { width: 200, height: 100 }, size(expected));
        let transform = lower(url, source).unwrap_or_else(|error| panic!("{url}: {error}"));
        let found = geometry(&transform, source).map(|(result, ..)| result);
        assert_eq!(found, Some((expected.width, expected.height)), "{url} becomes {transform}");
        n_rows += 1;
    }
    assert!(n_rows >= 120, "only {n_rows} rows are left");
}

#[test]
fn thumbor_urls_become_what_its_documentation_promises() {
    check_table(include_str!("tables/thumbor.txt"), 60);
}

#[test]
fn cloudflare_urls_become_what_its_documentation_promises() {
    check_table(include_str!("tables/cloudflare.txt"), 45);
}

#[test]
fn imgix_urls_become_what_its_documentation_promises() {
    check_table(include_str!("tables/imgix.txt"), 55);
}

/// Each refusal names its option, and says whether it is a mistake or a wish that nothing here fulfils.
#[test]
fn refusals_name_their_option() {
    let mut n_rows = 0;
    let mut wrong = String::new();
    for row in rows(include_str!("tables/refused.txt")) {
        let [kind, option, url] = row[..] else { panic!("test file is broken: {row:?}") };
        let kind = match kind {
            "invalid" => DialectErrorKind::Invalid,
            "unsupported" => DialectErrorKind::Unsupported,
            "no image" => DialectErrorKind::NoImage,
            _ => panic!("test file is broken: {kind}"),
        };
        let error = match lower(url, Size { width: 1080, height: 720 }) {
            Err(error) => error,
            Ok(transform) => {
                wrong += &format!("{url}\n  is not refused but {transform}\n");
                continue;
            }
        };
        let found = (error.kind, error.option.as_deref().unwrap_or("-"));
        if found != (kind, option) {
            wrong += &format!("{url}\n  is refused as {found:?}: {error}\n");
        }
        assert!(!error.detail.is_empty() && !error.detail.ends_with('.'), "{url}: {error}");
        n_rows += 1;
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(n_rows >= 150, "only {n_rows} rows are left");
}

/// The same wish in every dialect is one plan, and so one cache entry.
#[test]
fn the_same_wish_is_the_same_plan() {
    let source = Source::still(1080, 720, Format::Jpeg, false);
    let plan = |transform: &str| match Spec::parse(transform) {
        Ok(Spec::Transform(transform)) => Plan::resolve(&transform, &source, Accept::default()).map(|p| p.to_string()),
        other => panic!("{transform}: {other:?}"),
    };
    let native = plan("w=300,h=300,fit=cover,f=webp,q=70").expect("the transform is good");
    let urls = [
        "/imgproxy/_/rs:fill:300:300/q:70/plain/{id}@webp",
        "/thumbor/unsafe/300x300/filters:format(webp):quality(70)/{id}",
        "/cdn-cgi/image/width=300,height=300,fit=cover,format=webp,quality=70/{id}",
        "/imgix/{id}?w=300&h=300&fit=crop&fm=webp&q=70",
    ];
    for url in urls {
        let transform = lower(url, Size { width: 1080, height: 720 }).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!(plan(&transform).as_deref(), Ok(native.as_str()), "{url}");
    }
    let native = plan("w=300,f=jpeg").expect("the transform is good");
    let Some(Ok(dialects::iiif::Request::Image(image))) =
        dialects::iiif::parse(&format!("/iiif/3/{ID}/full/300,/0/default.jpg"))
    else {
        panic!("the request is good")
    };
    let image = image.lower(Size { width: 1080, height: 720 }, Default::default()).expect("the request is good");
    assert_eq!(plan(&image.lowered.transform), Ok(native));
}

/// What `info.json` promises is what the transforms keep to.
#[test]
fn the_limits_are_those_of_the_transforms() {
    let (stated, kept) = (dialects::iiif::Limits::default(), transform::Limits::default());
    assert_eq!((stated.max_side, stated.max_pixels), (kept.max_side, kept.max_pixels));
}

/// Any text is answered, not crashed on, and what is answered is in the native grammar.
#[test]
fn scrambled_urls_never_panic() {
    const PIECES: [&str; 56] = [
        "rs:fill:300:0",
        "c:0.5:9",
        "g:fp:1:0",
        "ex:1:so",
        "exar:1",
        "z:9",
        "dpr:8",
        "mw:9999",
        "pd:9",
        "rot:-90",
        "fl:1",
        "t:5",
        "rs:fill-down:9:99999",
        "plain/",
        "unsafe",
        "trim",
        "0x0:9x9",
        "adaptive-full-fit-in",
        "-1x99999",
        "origx1",
        "9x9",
        "left",
        "filters:",
        "rotate(90)",
        "focal(1,1)",
        "proportion(0.01)",
        "round_corner(5)",
        "fill(red)",
        "w=",
        "h=1",
        "fit=aspect-crop",
        "fit=pad",
        "trim=1;1;1;9999",
        "trim.width=0",
        "gravity=0x1",
        "dpr=0.1",
        "fit=min",
        "ar=9999:0.01",
        "rect=center,0,1,1",
        "pad=1",
        "crop=focalpoint",
        "max-w=1",
        "&",
        "=",
        "/",
        "/",
        "/",
        ":",
        ",",
        "%",
        "é",
        "(",
        ")",
        "99999",
        "0",
        ".",
    ];
    let mut random: u64 = 11;
    let mut n_lowered = 0;
    for round in 0..60_000_u64 {
        let mut next = |n: usize| {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (random >> 33) as usize % n
        };
        let mut middle = String::new();
        for _ in 0..next(7) {
            middle += PIECES[next(PIECES.len())];
            middle += ["", "/", ",", "&", ":"][next(5)];
        }
        let url = match round % 5 {
            0 => format!("/imgproxy/_/{middle}/plain/{{id}}"),
            1 => format!("/thumbor/unsafe/{middle}/{{id}}"),
            2 => format!("/cdn-cgi/image/{middle}/{{id}}"),
            3 => format!("/imgix/{{id}}?{middle}"),
            _ => format!("/iiif/3/{{id}}/{middle}"),
        };
        let url = with_id(&url);
        let size = Size { width: [1, 3, 1080, 65_535][next(4)], height: [1, 7, 720, 65_535][next(4)] };
        if let Some(Ok(dialects::iiif::Request::Image(image))) = dialects::iiif::parse(&url) {
            let _ = image.lower(size, Default::default());
        }
        let (path, query) = url.split_once('?').unwrap_or((&url, ""));
        let Some(Ok(request)) = dialects::parse(path, query) else { continue };
        let Ok(lowered) = request.lower(size) else { continue };
        // Sizes over the limits are refused there; nothing else may be.
        if let Err(error) = Spec::parse(&lowered.transform) {
            let is_limit = matches!(error.kind, transform::TransformErrorKind::Limit { .. });
            assert!(is_limit, "{url} becomes {}: {error}", lowered.transform);
        }
        n_lowered += 1;
    }
    assert!(n_lowered > 2_000, "only {n_lowered} of the URLs were lowered");
}
