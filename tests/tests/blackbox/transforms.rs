//! The `{transform}` part of a URL: what is made of it, measured on what comes out, and what is refused.

use std::sync::OnceLock;

use blackbox::{Answer, App, fixtures};
use fixtures::{CORNERS, quadrants};
use image::ImageFormat;

/// A picture of 400 by 300 in four colours, as JPEG.
fn picture() -> &'static str {
    static PICTURE: OnceLock<String> = OnceLock::new();
    PICTURE.get_or_init(|| App::shared().image(&fixtures::jpeg(&quadrants(400, 300))))
}

#[track_caller]
fn get(transform: &str) -> Answer {
    App::shared().delivered(picture(), transform)
}

#[test]
fn sizes_are_as_asked() {
    for (transform, size) in [
        ("original", (400, 300)),
        ("w=200", (200, 150)),
        ("width=200", (200, 150)),
        ("h=100", (133, 100)),
        ("height=100", (133, 100)),
        // The five fits, with and without room.
        ("w=200,h=200", (200, 150)),
        ("w=200,h=200,fit=inside", (200, 150)),
        ("w=200,h=200,fit=cover", (200, 200)),
        ("w=200,h=200,fit=contain", (200, 200)),
        ("w=200,h=200,fit=fill", (200, 200)),
        ("w=200,h=200,fit=outside", (267, 200)),
        ("w=100,h=300,fit=cover", (100, 300)),
        ("w=400,h=100,fit=contain", (400, 100)),
        ("w=40,h=300,fit=fill", (40, 300)),
        // Never enlarged unless that is asked for.
        ("w=800", (400, 300)),
        ("w=8192", (400, 300)),
        ("w=800,enlarge=0", (400, 300)),
        ("w=800,enlarge=1", (800, 600)),
        ("w=600,h=600,fit=cover,enlarge=1", (600, 600)),
        // Pixels of dense screens.
        ("w=100,dpr=2", (200, 150)),
        ("w=100,dpr=1", (100, 75)),
        ("w=100,dpr=1.5", (150, 113)),
        ("w=50,h=50,fit=cover,dpr=4", (200, 200)),
        // Turned.
        ("rotate=90", (300, 400)),
        ("rotate=180", (400, 300)),
        ("rotate=270", (300, 400)),
        ("rotate=90,w=150", (150, 200)),
        ("flip=h", (400, 300)),
        ("flip=v,w=40", (40, 30)),
        // The smallest.
        ("w=1", (1, 1)),
        ("w=1,h=1,fit=cover", (1, 1)),
        ("w=60,blur=2", (60, 45)),
        ("w=60,sharpen=1", (60, 45)),
        ("w=60,bg=fff", (60, 45)),
    ] {
        assert_eq!(get(transform).picture().size(), size, "{transform}");
    }
}

#[test]
fn colors_lie_where_they_should() {
    let [red, green, blue, white] = CORNERS;
    let corners = [(0.15, 0.15), (0.85, 0.15), (0.15, 0.85), (0.85, 0.85)];
    for (transform, expected) in [
        ("w=100", [red, green, blue, white]),
        ("flip=h,w=100", [green, red, white, blue]),
        ("flip=v,w=100", [blue, white, red, green]),
        ("flip=hv,w=100", [white, blue, green, red]),
        ("rotate=90,w=100", [blue, red, white, green]),
        ("rotate=180,w=100", [white, blue, green, red]),
        ("rotate=270,w=100", [green, white, red, blue]),
        // The rotation comes before the flip.
        ("rotate=90,flip=h,w=100", [red, blue, green, white]),
        // A crop keeps the side that gravity names.
        ("w=50,h=150,fit=cover,g=w", [red, red, blue, blue]),
        ("w=50,h=150,fit=cover,g=e", [green, green, white, white]),
        ("w=50,h=150,fit=cover,gravity=0:0", [red, red, blue, blue]),
        ("w=50,h=150,fit=cover,g=1:1", [green, green, white, white]),
        ("w=200,h=50,fit=cover,g=n", [red, green, red, green]),
        ("w=200,h=50,fit=cover,g=s", [blue, white, blue, white]),
        ("w=50,h=150,fit=cover", [red, green, blue, white]),
        ("w=50,h=150,fit=cover,g=center", [red, green, blue, white]),
        ("w=100,h=100,fit=fill", [red, green, blue, white]),
    ] {
        let picture = get(&format!("{transform},f=png")).picture();
        for ((x, y), color) in corners.into_iter().zip(expected) {
            let found = picture.at(x, y);
            let is_close = found.iter().zip(color).all(|(found, expected)| found.abs_diff(expected) <= 24);
            assert!(is_close, "{transform} at {x},{y}: {found:?}, expected about {color:?}");
        }
    }
}

#[test]
fn padding_has_the_background() {
    let yellow = [255, 255, 0, 255];
    let padded = get("w=100,h=200,fit=contain,bg=ffff00,f=png").picture();
    padded.looks(0.5, 0.05, yellow);
    padded.looks(0.5, 0.95, yellow);
    padded.looks(0.2, 0.4, CORNERS[0]);
    let up = get("w=100,h=200,fit=contain,g=n,bg=ffff00,f=png").picture();
    up.looks(0.2, 0.05, CORNERS[0]);
    up.looks(0.5, 0.95, yellow);
    assert_eq!(get("w=100,h=200,fit=contain,f=png").picture().at(0.5, 0.05)[3], 0);
    get("w=100,h=200,fit=contain,f=jpeg").picture().looks(0.5, 0.05, [255; 4]);
    get("w=100,h=200,fit=contain,bg=ff0,f=jpeg").picture().looks(0.5, 0.05, yellow);
    let half = get("w=100,h=200,fit=contain,bg=ff000080,f=png").picture().at(0.5, 0.05);
    assert!(half[3].abs_diff(0x80) < 3 && half[0] > 240, "{half:?}");
}

#[test]
fn formats_are_as_asked() {
    for (transform, format, media_type) in [
        ("w=50", ImageFormat::Jpeg, "image/jpeg"),
        ("w=50,f=jpeg", ImageFormat::Jpeg, "image/jpeg"),
        ("w=50,format=png", ImageFormat::Png, "image/png"),
        ("w=50,f=webp", ImageFormat::WebP, "image/webp"),
        ("w=50,f=gif", ImageFormat::Gif, "image/gif"),
        ("w=50,f=jpg", ImageFormat::Jpeg, "image/jpeg"),
        ("original", ImageFormat::Jpeg, "image/jpeg"),
        ("f=png", ImageFormat::Png, "image/png"),
    ] {
        let answer = get(transform).expect(200);
        assert_eq!(answer.must_have("content-type"), media_type, "{transform}");
        assert_eq!(answer.picture().format, format, "{transform}");
    }
}

#[test]
fn quality_and_filters_do_something() {
    let app = App::shared();
    let id = app.image(&fixtures::jpeg(&fixtures::photo(400, 300)));
    let size = |transform: &str| app.delivered(&id, transform).expect(200).body.len();
    assert!(size("w=300,q=20") < size("w=300,q=60"), "a lower quality is smaller");
    assert!(size("w=300,q=60") < size("w=300,q=95"), "a higher quality is larger");
    assert_eq!(size("w=300,quality=60"), size("w=300,q=60"));
    let pixels = |transform: &str| app.delivered(&id, transform).picture().image.to_rgb8();
    // Blurred pixels are nearer to their neighbours, sharpened ones farther.
    let roughness = |transform: &str| -> u64 {
        let image = pixels(transform);
        let row = |y| (1..image.width()).map(move |x| (x, y));
        (0..image.height()).flat_map(row).map(|(x, y)| u64::from(image[(x, y)][0].abs_diff(image[(x - 1, y)][0]))).sum()
    };
    let plain = roughness("w=200,f=png");
    assert!(roughness("w=200,blur=5,f=png") < plain * 9 / 10, "blurred");
    assert!(roughness("w=200,sharpen=2,f=png") > plain, "sharpened");
}

#[test]
fn spellings_of_one_wish_are_one_variant() {
    for spellings in [
        &[
            "w=120,h=90,fit=cover",
            "fit=cover,height=90,width=120",
            "h=90,w=120,fit=cover,g=center",
            "w=60,h=45,dpr=2,fit=cover",
        ][..],
        &["w=77", "width=77", "w=77,fit=inside", "w=77,q=80", "w=77,f=jpeg", "w=77,enlarge=0", "w=77,dpr=1"],
        &["w=31,bg=fff,f=png", "w=31,bg=ffffff,f=png", "w=31,bg=FFFFFF,f=png"],
    ] {
        let first = get(spellings[0]).expect(200);
        for spelling in &spellings[1..] {
            let other = get(spelling).expect(200);
            assert_eq!(other.must_have("etag"), first.must_have("etag"), "{spelling}");
            assert_eq!(other.body, first.body, "{spelling}");
        }
    }
}

#[test]
fn what_the_grammar_does_not_know_is_refused() {
    let long = format!("w={}", "1".repeat(600));
    let thousands = vec!["w=1"; 1000].join(",");
    for transform in [
        // Unknown.
        "x=1",
        "W=100",
        "w=100,zoom=2",
        "wi=100",
        "=100",
        "100",
        "w",
        "w=100,",
        ",w=100",
        "w=100,,h=50",
        ",",
        "w:100",
        "w=100;h=50",
        // Repeated, under either name.
        "w=100,w=100",
        "w=100,w=200",
        "w=100,width=100",
        "g=n,gravity=n,w=10,h=10,fit=cover",
        // Contradictory or meaningless.
        "fit=cover",
        "dpr=2",
        "enlarge=1",
        "g=n",
        "w=100,g=n",
        "w=100,h=100,fit=fill,g=n",
        "w=100,f=png,q=50",
        // Not numbers that there are.
        "w=0",
        "h=0",
        "w=-1",
        "w=-100",
        "w=+100",
        "w=1.5",
        "w=1e3",
        "w=0x10",
        "w=NaN",
        "w=inf",
        "w=",
        "w=%20100",
        "w=100px",
        "w=100%25",
        "w=%EF%BC%91%EF%BC%90%EF%BC%90",
        "q=0",
        "q=101",
        "q=-1",
        "q=50.5",
        "q=high",
        "q=",
        "w=10,dpr=0",
        "w=10,dpr=0.5",
        "w=10,dpr=5",
        "w=10,dpr=-1",
        "w=10,dpr=1.001",
        "w=10,dpr=x",
        "blur=-1",
        "blur=0",
        "blur=1000",
        "blur=x",
        "sharpen=-1",
        "sharpen=100",
        "rotate=45",
        "rotate=-90",
        "rotate=360",
        "rotate=90.0",
        "rotate=x",
        "flip=x",
        "flip=1",
        "w=10,enlarge=2",
        "w=10,enlarge=yes",
        "w=10,h=10,fit=stretch",
        "w=10,h=10,fit=Cover",
        "w=10,h=10,fit=",
        "w=10,h=10,fit=cover,g=middle",
        "w=10,h=10,fit=cover,g=2:0",
        "w=10,h=10,fit=cover,g=-0.1:0",
        "w=10,h=10,fit=cover,g=0.5",
        "bg=ggg",
        "bg=ff",
        "bg=fffff",
        "bg=%23ffffff",
        "bg=red",
        "bg=",
        "f=bmp",
        "f=svg",
        "f=",
        "f=JPEG",
        "f=jpeg2000",
        // Options of one format beside another.
        "f=jpeg,lossless=1",
        "f=webp,colors=16",
        "f=png,progressive=1",
        "f=png,max-bytes=5000",
        "f=png,colors=1",
        "f=png,colors=257",
        "max-bytes=99",
        "anim=2",
        // Parts of the picture.
        "crop=0:0:100",
        "crop=0:0:0:100",
        "crop=400:0:10:10",
        "crop=0:0:101p:10p",
        "crop=-1:0:10:10",
        "crop=0:0:10.5:10",
        "trim=0",
        "trim=256",
        "ar=16",
        "ar=0:9",
        "ar=1:1,w=10,h=10",
        "g=auto",
        "w=10,h=10,g=auto",
        "w=10,h=10,fit=contain,g=faces",
        // What lies around it and over it.
        "pad=-1",
        "pad=1:2",
        "radius=-1",
        "radius=half",
        "wm=nope",
        "wm-g=se",
        "text=!",
        "text=",
        "text-size=10",
        "text=aGk,text-size=0",
        "text=aGk,text-font=comic",
        // Looks.
        "brightness=4.01",
        "contrast=-1",
        "saturation=1.001",
        "gamma=0",
        "gray=2",
        "tint=red",
        "tint=ffffff80",
        // Encoded, and what encoding could hide.
        "w%3D100",
        "%77=100",
        "w=%31%30%30",
        "w=100%2Ch=50",
        "w=100%00",
        "%2e%2e",
        "..%2f..%2fetc",
        "w=100%0d%0ax:y",
        // Too long to look at.
        &long,
        &thousands,
    ] {
        let answer = App::shared().direct("GET", &format!("/i/{}/{transform}", picture())).send();
        assert!(answer.status == 400, "{transform:?}: {answer}");
        answer.problem(400, "transform-invalid");
        assert!(!answer.header("cache-control").unwrap_or_default().contains("immutable"), "{answer}");
    }
}

#[test]
fn the_option_to_blame_is_named() {
    for (transform, word) in [("w=0", "w"), ("zoom=2", "zoom"), ("w=10,h=10,fit=stretch", "fit"), ("w=1,w=2", "w")] {
        let problem = get(transform).problem(400, "transform-invalid");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(word)), "{word} in {problem}");
    }
}

#[test]
fn a_filter_that_is_not_installed_says_so() {
    for transform in ["filter=nowhere", "w=100,filter=nowhere:1:-0.5"] {
        get(transform).problem(501, "filter-unknown");
    }
}

#[test]
fn nothing_larger_than_the_limits_is_made() {
    get("w=5000,dpr=2").problem(422, "output-too-large");
    get("w=8193").over_limit(422, "output-too-large", 8192, Some(8193));
    get("h=8193,w=1").over_limit(422, "output-too-large", 8192, Some(8193));
    let absurd = get("w=99999999999999999999");
    assert!([400, 422].contains(&absurd.status), "{absurd}");
    get("w=8192,h=8192,fit=cover,enlarge=1").over_limit(422, "output-too-large", 50_000_000, Some(8192 * 8192));
    get("w=8192,h=8192,fit=contain").problem(422, "output-too-large");
    let app = App::shared();
    let narrow = app.image(&fixtures::png(&fixtures::photo(1, 2000)));
    app.delivered(&narrow, "w=8192,enlarge=1").problem(422, "output-too-large");
    app.get("/healthz").expect(200);
}

#[test]
fn words_that_are_no_options_are_presets() {
    for name in ["nope", "thumbs", "x1"] {
        get(name).problem(404, "preset-not-found");
    }
    for path in ["", "/"] {
        let answer = App::shared().get(&format!("/i/{}/{path}", picture()));
        assert!([400, 404].contains(&answer.status), "{answer}");
    }
}
