//! `f=auto` and `q=auto`: who gets what, what stands for it meanwhile, and how often it is made.

use std::sync::OnceLock;

use blackbox::app::Options;
use blackbox::{Answer, App, fixtures, poll};
use fixtures::photo;
use image::RgbImage;
use serde_json::Value;

use crate::events::listen;

/// What browsers of three generations send, and what everything else does.
const AVIF: &str = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
const WEBP: &str = "image/webp,image/apng,image/*,*/*;q=0.8";
const ANY: &str = "*/*";

const FOREVER: &str = "public, max-age=31536000, immutable";
const FOR_NOW: &str = "public, max-age=10";

/// A photograph as JPEG, and a drawing as PNG.
fn pictures() -> &'static [String; 2] {
    static PICTURES: OnceLock<[String; 2]> = OnceLock::new();
    let app = App::shared();
    PICTURES.get_or_init(|| {
        [app.image(&fixtures::jpeg(&photo(360, 240))), app.image(&fixtures::png(&fixtures::quadrants(360, 240)))]
    })
}

#[track_caller]
fn ask(app: &App, id: &str, transform: &str, accept: &str) -> Answer {
    let answer = app.call("GET", &format!("/i/{id}/{transform}")).header("accept", accept).send().expect(200);
    let must_vary = transform.contains("f=auto");
    let varies = answer.header("vary").is_some_and(|vary| vary.to_lowercase().contains("accept"));
    assert_eq!(varies, must_vary, "{answer}");
    answer
}

/// The answer that stays.
#[track_caller]
fn settled(app: &App, id: &str, transform: &str, accept: &str) -> Answer {
    poll::until(&format!("{transform} is made for {accept}"), || {
        let answer = ask(app, id, transform, accept);
        let caching = answer.must_have("cache-control").to_owned();
        assert!([FOREVER, FOR_NOW].contains(&caching.as_str()), "{answer}");
        (caching == FOREVER).then_some(answer)
    })
}

#[test]
fn each_kind_of_client_gets_the_best_it_takes() {
    let app = App::shared();
    let [photograph, drawing] = pictures();
    for (id, accept, possible) in [
        (photograph, ANY, &["image/jpeg"][..]),
        (photograph, "image/*", &["image/jpeg"]),
        (photograph, "image/avif", &["image/jpeg"]),
        (photograph, WEBP, &["image/webp", "image/jpeg"]),
        (photograph, AVIF, &["image/avif", "image/jpeg"]),
        (drawing, ANY, &["image/png"]),
        (drawing, WEBP, &["image/webp"]),
        (drawing, AVIF, &["image/avif", "image/webp"]),
    ] {
        let answer = settled(app, id, "w=180,f=auto", accept);
        let media_type = answer.must_have("content-type");
        assert!(possible.contains(&media_type), "{accept}: {media_type}");
    }
}

#[test]
fn the_best_is_never_larger_than_the_plain_one() {
    let app = App::shared();
    for (bytes, plain) in [
        (fixtures::jpeg(&photo(300, 200)), "w=150,f=jpeg"),
        (fixtures::jpeg(&fixtures::plain(300, 200, [9, 99, 199])), "w=150,f=jpeg"),
        (fixtures::png(&fixtures::quadrants(300, 204)), "w=150,f=webp,lossless=1"),
        (fixtures::png(&photo(300, 200)), "w=150,f=webp,lossless=1"),
    ] {
        let id = app.image(&bytes);
        let most = app.delivered(&id, plain).expect(200).body.len();
        for accept in [WEBP, AVIF] {
            let answer = settled(app, &id, "w=150,f=auto", accept);
            assert!(answer.body.len() <= most, "{accept}: {} bytes, {plain} has {most}", answer.body.len());
        }
    }
}

#[test]
fn animations_and_transparency_are_kept() {
    let app = App::shared();
    let animation = app.image(&fixtures::animated_gif(66, 44, 3));
    for (accept, media_type) in [(ANY, "image/gif"), (WEBP, "image/webp"), (AVIF, "image/webp")] {
        let answer = settled(app, &animation, "w=33,f=auto", accept);
        assert_eq!(answer.must_have("content-type"), media_type, "{accept}");
        assert_eq!(blackbox::files::frames(&answer.body).len(), 3, "{accept}");
    }
    let disc = app.image(&fixtures::rgba_png(&fixtures::disc(66, [10, 10, 200])));
    for (accept, is_kept) in [(ANY, true), (WEBP, true)] {
        let corner = settled(app, &disc, "w=33,f=auto", accept).picture().at(0.01, 0.01);
        assert_eq!(corner[3] == 0, is_kept, "{accept}: {corner:?}");
    }
    // Round corners are transparent too, unless something lies under them.
    let [photograph, _] = pictures();
    let round = settled(app, photograph, "w=60,radius=20,f=auto", ANY);
    assert_eq!((round.must_have("content-type"), round.picture().at(0.0, 0.0)[3]), ("image/png", 0));
    let on_red = settled(app, photograph, "w=60,radius=20,bg=ff0000,f=auto", ANY);
    assert_eq!(on_red.must_have("content-type"), "image/jpeg");
}

#[test]
fn what_stands_for_an_avif_goes_when_that_is_there() {
    let app = App::shared();
    let id = app.image(&fixtures::jpeg(&photo(240, 160)));
    let first = ask(app, &id, "w=120,f=auto", AVIF);
    assert_eq!(first.must_have("cache-control"), FOR_NOW, "{first}");
    assert!(["image/webp", "image/jpeg"].contains(&first.must_have("content-type")), "{first}");
    // It is what a client without AVIF gets, for good.
    let without = ask(app, &id, "w=120,f=auto", WEBP);
    assert_eq!(without.must_have("cache-control"), FOREVER);
    assert_eq!((without.must_have("etag"), &without.body), (first.must_have("etag"), &first.body));
    let last = settled(app, &id, "w=120,f=auto", AVIF);
    assert_eq!(last.must_have("content-type"), "image/avif", "{last}");
    assert_ne!(last.must_have("etag"), first.must_have("etag"));
    let head = app.call("HEAD", &format!("/i/{id}/w=120,f=auto")).header("accept", AVIF).send().expect(200);
    assert_eq!(head.must_have("etag"), last.must_have("etag"));
    assert_eq!(head.must_have("cache-control"), FOREVER);
}

/// Every picture that is made is told of, so this has an instance to itself.
#[test]
fn however_many_ask_it_is_ordered_once() {
    let app = App::start(Options::for_tests().on_redis(1, 1));
    let events = listen(&app);
    let id = app.image(&fixtures::jpeg(&photo(400, 300)));
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(|| ask(&app, &id, "w=200,f=auto", AVIF))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    for answer in &answers {
        assert!([FOREVER, FOR_NOW].contains(&answer.must_have("cache-control")), "{answer}");
    }
    let last = settled(&app, &id, "w=200,f=auto", AVIF);
    for _ in 0..4 {
        assert_eq!(ask(&app, &id, "w=200,f=auto", AVIF).body, last.body);
    }
    // Whatever was ordered twice is made before this, which is ordered last.
    settled(&app, &id, "w=100,f=avif", ANY);
    let mut made = Vec::new();
    while !made.iter().any(|plan: &String| plan.starts_with("s=100x75,f=avif")) {
        let event = events.recv_timeout(poll::PATIENCE).unwrap_or_else(|_| panic!("the last never came: {made:#?}"));
        let plans = event["data"]["variants"].as_array().into_iter().flatten().filter_map(Value::as_str);
        made.extend(plans.map(str::to_owned));
    }
    let count = |beginning: &str| made.iter().filter(|plan| plan.starts_with(beginning)).count();
    assert_eq!(count("s=200x150,f=avif"), 1, "{made:#?}");
    assert_eq!(count("s=200x150,f=webp"), 1, "what stood for it: {made:#?}");
}

/// How far two pictures lie apart, on the average.
fn mean_error(one: &RgbImage, other: &RgbImage) -> f64 {
    assert_eq!(one.dimensions(), other.dimensions());
    let sum: u64 = one.iter().zip(other.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / one.len() as f64
}

#[test]
fn quality_is_searched_for_while_something_stands_for_it() {
    let app = App::shared();
    for (transform, media_type) in [
        ("w=150,f=jpeg,q=auto", "image/jpeg"),
        ("w=150,f=webp,q=auto", "image/webp"),
        ("w=90,f=avif,q=auto", "image/avif"),
    ] {
        let id = app.image(&fixtures::jpeg(&photo(300, 200)));
        let first = ask(app, &id, transform, ANY);
        assert_eq!(first.must_have("cache-control"), FOR_NOW, "{transform}: {first}");
        let last = settled(app, &id, transform, ANY);
        assert_eq!(last.must_have("content-type"), media_type, "{transform}");
        let best = settled(app, &id, &transform.replace("auto", "100"), ANY);
        assert!(last.body.len() < best.body.len(), "{transform}: lower than the highest");
        let worst = settled(app, &id, &transform.replace("auto", "5"), ANY);
        assert!(last.body.len() > worst.body.len(), "{transform}: higher than what nobody wants to see");
        if media_type != "image/avif" {
            let exact = app.delivered(&id, "w=150,f=png").picture().image.to_rgb8();
            let error = mean_error(&last.picture().image.to_rgb8(), &exact);
            assert!(error < mean_error(&worst.picture().image.to_rgb8(), &exact), "{transform}: {error}");
            assert!(error < 8.0, "{transform}: {error} of 255 on the average");
        }
        // Between the two, so that there is a quality which keeps to it.
        let most = (last.body.len() + worst.body.len()) / 2;
        let bound = settled(app, &id, &format!("{transform},max-bytes={most}"), ANY);
        assert!(bound.body.len() <= most, "{transform}: {} bytes of {most}", bound.body.len());
    }
}

#[test]
fn what_is_easy_needs_less_quality_than_what_is_hard() {
    let app = App::shared();
    let noise = RgbImage::from_fn(200, 200, |x, y| {
        let mixed = x.wrapping_mul(0x9E37_79B9) ^ y.wrapping_mul(0x85EB_CA6B);
        let level = (mixed.wrapping_mul(0xC2B2_AE35) >> 24) as u8;
        image::Rgb([level, level / 2 + 60, 255 - level])
    });
    let soft = RgbImage::from_fn(200, 200, |x, y| image::Rgb([(x / 2) as u8 + 60, (y / 2) as u8 + 80, 120]));
    let [hard, easy] = [noise, soft].map(|image| {
        let id = app.image(&fixtures::png(&image));
        let found = settled(app, &id, "f=jpeg,q=auto", ANY).body.len() as f64;
        found / app.delivered(&id, "f=jpeg,q=80").expect(200).body.len() as f64
    });
    // Nothing is said of which is which: only that the search looks at the picture.
    assert!((hard - easy).abs() > 0.01, "both are {hard:.3} of what 80 makes");
}

#[test]
fn a_negotiated_format_stays_within_its_bytes() {
    let app = App::shared();
    let [photograph, _] = pictures();
    for accept in [ANY, WEBP, AVIF] {
        let answer = settled(app, photograph, "w=180,f=auto,q=90,max-bytes=3000", accept);
        assert!(answer.body.len() <= 3000, "{accept}: {} bytes", answer.body.len());
    }
}
