//! Delivery: headers, conditions, ranges, negotiation.

use std::sync::OnceLock;

use blackbox::pixels::Picture;
use blackbox::source::Gate;
use blackbox::{App, Call, Source, fixtures};
use image::ImageFormat;

fn picture() -> &'static str {
    static PICTURE: OnceLock<String> = OnceLock::new();
    PICTURE.get_or_init(|| App::shared().image(&fixtures::jpeg(&fixtures::photo(500, 400))))
}

fn call(method: &str, transform: &str) -> Call {
    App::shared().call(method, &format!("/i/{}/{transform}", picture()))
}

#[test]
fn everything_is_cached_forever_and_kept_in_its_box() {
    for transform in ["original", "thumb", "medium", "w=100", "w=100,f=png", "w=101,f=auto"] {
        let answer = call("GET", transform).send().expect(200);
        let etag = answer.must_have("etag");
        assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 10, "a strong tag: {answer}");
        assert_eq!(answer.must_have("cache-control"), "public, max-age=31536000, immutable", "{transform}");
        assert_eq!(answer.must_have("accept-ranges"), "bytes", "{transform}");
        assert_eq!(answer.must_have("x-content-type-options"), "nosniff", "{transform}");
        assert_eq!(answer.must_have("content-security-policy"), "default-src 'none'; sandbox", "{transform}");
        assert_eq!(answer.must_have("access-control-allow-origin"), "*", "{transform}");
        assert_eq!(answer.must_have("content-length"), answer.body.len().to_string(), "{transform}");
        let varies = answer.header("vary").is_some_and(|vary| vary.to_lowercase().contains("accept"));
        assert_eq!(varies, transform.contains("auto"), "{answer}");
        assert!(answer.header("set-cookie").is_none(), "{answer}");
    }
}

#[test]
fn a_second_request_gets_the_same() {
    for transform in ["original", "thumb", "w=123"] {
        let first = call("GET", transform).send().expect(200);
        let second = call("GET", transform).send().expect(200);
        assert_eq!((first.must_have("etag"), &first.body), (second.must_have("etag"), &second.body), "{transform}");
    }
    let tags = ["original", "thumb", "w=123", "w=124", "w=123,f=png"]
        .map(|transform| call("GET", transform).send().expect(200).must_have("etag").to_owned());
    for (tag_idx, tag) in tags.iter().enumerate() {
        assert!(!tags[..tag_idx].contains(tag), "{tags:?}");
    }
}

#[test]
fn who_has_it_is_told_so() {
    let etag = call("GET", "w=90").send().must_have("etag").to_owned();
    for value in [etag.clone(), format!("\"other\", {etag}"), format!("W/{etag}"), "*".to_owned()] {
        for method in ["GET", "HEAD"] {
            let answer = call(method, "w=90").header("if-none-match", &value).send().expect(304);
            assert!(answer.body.is_empty());
            assert_eq!(answer.must_have("etag"), etag);
            assert_eq!(answer.must_have("cache-control"), "public, max-age=31536000, immutable");
        }
    }
    for value in ["\"other\"", "nonsense", "", "W/\"other\""] {
        call("GET", "w=90").header("if-none-match", value).send().expect(200);
    }
    // A condition comes before a range.
    call("GET", "w=90").header("if-none-match", &etag).header("range", "bytes=0-9").send().expect(304);
}

#[test]
fn a_head_is_a_get_without_its_body() {
    for transform in ["original", "thumb", "w=140", "w=141,f=auto"] {
        let (head, get) = (call("HEAD", transform).send().expect(200), call("GET", transform).send().expect(200));
        assert!(head.body.is_empty());
        for name in ["content-type", "content-length", "etag", "cache-control", "accept-ranges", "vary"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {transform}");
        }
    }
    assert_eq!(call("HEAD", "w=0").send().expect(400).body, b"");
    assert_eq!(App::shared().call("HEAD", "/i/01h00000000000000000000000/original").send().expect(404).body, b"");
}

#[test]
fn parts_are_sent_as_asked() {
    for transform in ["original", "w=300", "thumb"] {
        let whole = call("GET", transform).send().expect(200);
        let length = whole.body.len();
        let check = |range: String, first: usize, end: usize| {
            let answer = call("GET", transform).header("range", &range).send().expect(206);
            assert_eq!(answer.body, whole.body[first..end], "{range} of {transform}");
            assert_eq!(answer.must_have("content-range"), format!("bytes {first}-{}/{length}", end - 1), "{range}");
            assert_eq!(answer.must_have("content-length"), (end - first).to_string(), "{range}");
            assert_eq!(answer.must_have("etag"), whole.must_have("etag"), "{range}");
            assert_eq!(answer.must_have("content-type"), whole.must_have("content-type"), "{range}");
        };
        check("bytes=0-0".into(), 0, 1);
        check("bytes=0-99".into(), 0, 100);
        check("bytes=100-".into(), 100, length);
        check(format!("bytes={}-", length - 1), length - 1, length);
        check("bytes=-50".into(), length - 50, length);
        check("bytes=-99999999".into(), 0, length);
        check(format!("bytes=10-{}", length + 1000), 10, length);
        check(format!("bytes=0-{}", length - 1), 0, length);
        check("bytes=5-99999999999999999999".into(), 5, length);
    }
}

#[test]
fn parts_that_do_not_exist_are_refused() {
    let length = call("GET", "w=300").send().expect(200).body.len();
    for range in
        [format!("bytes={length}-"), "bytes=99999999-".into(), "bytes=-0".into(), "bytes=99999999999999999999-".into()]
    {
        let answer = call("GET", "w=300").header("range", &range).send();
        answer.problem(416, "range-not-satisfiable");
        assert_eq!(answer.must_have("content-range"), format!("bytes */{length}"), "{range}");
        assert!(!answer.header("cache-control").unwrap_or_default().contains("immutable"), "{answer}");
    }
}

#[test]
fn ranges_that_make_no_sense_are_ignored() {
    let whole = call("GET", "w=300").send().expect(200);
    for range in
        ["bytes=9-1", "bytes=-", "bytes=a-b", "bytes", "lines=1-2", "bytes=1-2-3", "", "bytes=0-1,5-6", "bytes=+1-2"]
    {
        let answer = call("GET", "w=300").header("range", range).send();
        let is_multipart = range.contains(',') && answer.status == 206;
        assert!(is_multipart || answer.status == 200 && answer.body == whole.body, "{range}: {answer}");
    }
}

#[test]
fn a_part_of_something_else_is_not_sent() {
    let whole = call("GET", "w=300").send().expect(200);
    let with = |tag: &str| call("GET", "w=300").header("range", "bytes=0-9").header("if-range", tag).send();
    with(whole.must_have("etag")).expect(206);
    assert_eq!(with("\"other\"").expect(200).body, whole.body);
    assert_eq!(with(&format!("W/{}", whole.must_have("etag"))).expect(200).body.len(), whole.body.len());
}

#[test]
fn large_bodies_arrive_whole_and_in_parts() {
    let app = App::shared();
    let mut state = 7_u32;
    let noise = image::RgbImage::from_fn(1300, 1100, |_, _| {
        let mut byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        image::Rgb([byte(), byte(), byte()])
    });
    let bytes = fixtures::png(&noise);
    assert!(bytes.len() > 3_000_000);
    let id = app.image(&bytes);
    let whole = app.delivered(&id, "original").expect(200);
    assert!(Picture::decode(&whole.body).image.to_rgb8() == noise, "not a pixel is lost");
    let length = whole.body.len();
    for (first, end) in
        [(0, 10), (length / 2 - 200_000, length / 2 + 200_000), (length - 10, length), (393_210, 393_220)]
    {
        let range = format!("bytes={first}-{}", end - 1);
        let part = app.call("GET", &format!("/i/{id}/original")).header("range", &range).send().expect(206);
        assert!(part.body == whole.body[first..end], "{range}");
    }
}

#[test]
fn the_format_is_negotiated() {
    let app = App::shared();
    let transparent = app.image(&fixtures::rgba_png(&fixtures::disc(120, [200, 40, 40])));
    let format = |id: &str, accept: Option<&str>| {
        let call = app.call("GET", &format!("/i/{id}/w=60,f=auto"));
        let call = accept.into_iter().fold(call, |call, accept| call.header("accept", accept));
        let answer = call.send().expect(200);
        assert!(answer.must_have("vary").to_lowercase().contains("accept"), "{answer}");
        let picture = answer.picture();
        assert_eq!(answer.must_have("content-type"), picture.format.to_mime_type());
        (picture.format, answer.must_have("etag").to_owned())
    };
    let chrome = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
    for accept in [None, Some("*/*"), Some("image/png,image/jpeg"), Some("image/webp;q=0, */*"), Some("\"")] {
        assert_ne!(format(picture(), accept).0, ImageFormat::WebP, "{accept:?}");
        assert_eq!(format(&transparent, accept).0, ImageFormat::Png, "{accept:?}");
    }
    let (webp, webp_tag) = format(&transparent, Some(chrome));
    assert_eq!(webp, ImageFormat::WebP);
    assert_ne!(format(&transparent, None).1, webp_tag, "another format is another tag");
    // A photograph in lossless WebP would be larger than in JPEG.
    assert_eq!(format(picture(), None).0, ImageFormat::Jpeg);
    let photo = format(picture(), Some(chrome)).0;
    assert!([ImageFormat::Jpeg, ImageFormat::WebP].contains(&photo));
}

#[test]
fn what_is_not_there_is_not_found_and_not_cached() {
    let app = App::shared();
    for id in ["nope", "01h00000000000000000000000", "01H00000000000000000000000", "..%2f", "%00"] {
        for transform in ["original", "w=10", "thumb"] {
            let answer = app.direct("GET", &format!("/i/{id}/{transform}")).send();
            answer.problem(404, "image-not-found");
            assert!(!answer.header("cache-control").unwrap_or_default().contains("immutable"), "{answer}");
        }
        app.direct("GET", &format!("/v1/images/{id}")).send().problem(404, "image-not-found");
    }
}

#[test]
fn what_is_not_ready_is_not_found() {
    let app = App::shared();
    let gate = Gate::closed();
    let offer = Source::here().offer({
        let gate = gate.clone();
        move |peer, _| {
            gate.pass();
            peer.respond("200 OK", &[], &fixtures::jpeg(&fixtures::photo(30, 30)))
        }
    });
    let id = app.ingest(&offer.url);
    app.shows_nothing_of(&id);
    gate.open();
    app.ready(&id);
    app.delivered(&id, "original").expect(200);
}

#[test]
fn a_browser_elsewhere_may_read_it() {
    let answer = call("GET", "thumb").header("origin", "https://example.org").send().expect(200);
    assert_eq!(answer.must_have("access-control-allow-origin"), "*");
    assert!(answer.header("access-control-allow-credentials").is_none(), "{answer}");
}

#[test]
fn a_browser_may_ask_first() {
    let call = call("OPTIONS", "thumb").header("origin", "https://example.org");
    let answer =
        call.header("access-control-request-method", "GET").header("access-control-request-headers", "range").send();
    assert!([200, 204].contains(&answer.status), "{answer}");
    assert_eq!(answer.must_have("access-control-allow-origin"), "*");
    assert!(answer.must_have("access-control-allow-methods").contains("GET"), "{answer}");
    assert!(answer.must_have("access-control-allow-headers").to_lowercase().contains("range"), "{answer}");
}

#[test]
fn queries_do_not_change_the_picture() {
    let plain = call("GET", "w=88").send().expect(200);
    let image = App::shared().get(&format!("/v1/images/{}", picture())).expect(200).json();
    let url = image["urls"]["thumb"].as_str().expect("a url");
    let path = url.find("/i/").map_or(url, |at| &url[at..]);
    assert_eq!(App::shared().get(path).expect(200).body, call("GET", "thumb").send().body);
    let versioned = call("GET", "w=88?v=1").send();
    assert!(versioned.status == 400 || versioned.body == plain.body, "{versioned}");
}
