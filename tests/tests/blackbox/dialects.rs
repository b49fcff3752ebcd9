//! The URLs of other image services: that they give what the native URL gives, byte for byte, and what they refuse.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use blackbox::{Answer, App, fixtures};
use fixtures::quadrants;

/// A picture of 300 by 200 in four colours, as JPEG.
fn picture() -> &'static str {
    static PICTURE: OnceLock<String> = OnceLock::new();
    PICTURE.get_or_init(|| App::shared().image(&fixtures::jpeg(&quadrants(300, 200))))
}

/// The answer to a URL with the id where `{id}` or, in base64url, `{b64}` stands.
fn get(url: &str) -> Answer {
    let encoded = URL_SAFE_NO_PAD.encode(picture());
    App::shared().direct("GET", &url.replace("{id}", picture()).replace("{b64}", &encoded)).send()
}

#[track_caller]
fn same(cases: &[(&str, &str)]) {
    for (url, native) in cases {
        let (other, native) = (get(url).expect(200), get(&format!("/i/{{id}}/{native}")).expect(200));
        assert_eq!(other.must_have("etag"), native.must_have("etag"), "{url}");
        assert!(other.body == native.body, "{url} has other bytes");
        for name in ["content-type", "cache-control", "vary", "content-security-policy", "accept-ranges"] {
            assert_eq!(other.header(name), native.header(name), "{name} of {url}");
        }
    }
}

#[test]
fn imgproxy_gives_the_same_bytes() {
    same(&[
        ("/imgproxy/unsafe/plain/{id}", "original"),
        ("/imgproxy/_/rs:fit:100:100/plain/{id}", "w=100,h=100"),
        ("/imgproxy/AfrOrF3gWeDA6VOlDG4TzxMv39O7MXnF4CXpKUwGqRM/w:100/plain/{id}.jpg@webp", "w=100,f=webp"),
        ("/imgproxy/_/rs:fill:80:80/g:no/q:60/{b64}.jpg", "w=80,h=80,fit=cover,g=n,f=jpeg,q=60"),
        ("/imgproxy/_/rs:fill:60:90/g:sm/plain/{id}@png", "w=60,h=90,fit=cover,g=auto,f=png"),
        ("/imgproxy/_/w:100/bl:2/rot:90/plain/{id}@png", "w=100,blur=2,rotate=90,f=png"),
        ("/imgproxy/_/rs:fit:90:90:0:1/bg:255:0:0/plain/{id}", "w=90,h=90,fit=contain,bg=ff0000"),
        ("/imgproxy/_/pr:thumb/plain/{id}", "thumb"),
    ]);
}

#[test]
fn thumbor_gives_the_same_bytes() {
    same(&[
        ("/thumbor/unsafe/{id}", "original"),
        ("/thumbor/unsafe/90x60/{id}", "w=90,h=60,fit=cover,enlarge=1"),
        ("/thumbor/unsafe/fit-in/100x100/filters:format(webp):quality(70)/{id}", "w=100,h=100,f=webp,q=70"),
        ("/thumbor/unsafe/-80x80/left/{id}.jpg", "w=80,h=80,fit=cover,g=e,enlarge=1,flip=h"),
        ("/thumbor/unsafe/50x50:150x150/60x60/{id}", "crop=50:50:100:100,w=60,h=60"),
        ("/thumbor/unsafe/80x80/smart/filters:grayscale()/{id}", "w=80,h=80,fit=cover,g=auto,enlarge=1,gray=1"),
        ("/thumbor/unsafe/fit-in/100x100/filters:fill(red)/{id}", "w=100,h=100,fit=contain,bg=ff0000"),
        ("/thumbor/unsafe/60x0/b64:{b64}", "w=60,enlarge=1"),
    ]);
}

#[test]
fn cloudflare_gives_the_same_bytes() {
    same(&[
        ("/cdn-cgi/image/width=100/{id}", "w=100"),
        ("/cdn-cgi/image/fit=cover,width=80,height=80,gravity=left/{id}", "w=80,h=80,fit=cover,g=w,enlarge=1"),
        ("/cdn-cgi/image/w=90,q=75,f=webp/{id}.jpg", "w=90,q=75,f=webp"),
        ("/cdn-cgi/image/w=90,f=jpeg/{id}", "w=90,f=jpeg,progressive=1"),
        ("/cdn-cgi/image/w=90,f=auto/{id}", "w=90,f=auto"),
        ("/cdn-cgi/image/fit=pad,w=70,h=70,background=red/{id}", "w=70,h=70,fit=contain,enlarge=1,bg=ff0000"),
        ("/cdn-cgi/image/w=100,dpr=2,brightness=1.2/{id}", "w=200,brightness=1.2"),
        ("/cdn-cgi/image/anim=true,metadata=none/{id}", "original"),
    ]);
}

#[test]
fn imgix_gives_the_same_bytes() {
    same(&[
        ("/imgix/{id}", "original"),
        ("/imgix/{id}?w=100&s=1234", "w=100"),
        ("/imgix/{id}.jpg?fit=crop&w=80&h=80&crop=top,left", "w=80,h=80,fit=cover,g=nw"),
        ("/imgix/{id}?w=100&fm=webp&q=60", "w=100,f=webp,q=60"),
        ("/imgix/{id}?fit=crop&w=60&h=90&crop=faces", "w=60,h=90,fit=cover,g=faces"),
        ("/imgix/{id}?rect=10,20,100,50", "crop=10:20:100:50"),
        ("/imgix/{id}?w=90&auto=format", "w=90,f=auto"),
        ("/imgix/{id}?w=90&fm=pjpg", "w=90,f=jpeg,progressive=1"),
        ("/imgix/{id}?w=90&fm=png8", "w=90,f=png,colors=256"),
        ("/imgix/{id}?w=90&txt=Hello&txt-size=20", "w=90,text=SGVsbG8,text-g=sw,text-size=20,text-color=000000"),
    ]);
}

#[test]
fn a_picture_is_made_once_whatever_it_is_called() {
    let app = App::start(blackbox::app::Options::for_tests());
    let id = app.image(&fixtures::jpeg(&fixtures::photo(320, 200)));
    let before = app.stat("/renders");
    for url in [
        "/i/{id}/w=90,h=90,fit=cover",
        "/imgproxy/_/rs:fill:90:90/plain/{id}",
        "/thumbor/unsafe/90x90/{id}",
        "/cdn-cgi/image/fit=cover,w=90,h=90/{id}",
        "/imgix/{id}?fit=crop&w=90&h=90",
        "/iiif/3/{id}/60,0,200,200/90,90/0/default.jpg",
    ] {
        app.get(&url.replace("{id}", &id)).expect(200);
    }
    app.delivered(&id, "w=91").expect(200);
    let made =
        blackbox::poll::until("they are counted", || Some(app.stat("/renders") - before).filter(|made| *made >= 3));
    assert_eq!(made, 3, "one for five grammars; one for a region, which is scaled as such; and the last");
}

#[test]
fn mistakes_and_what_nothing_here_does_are_told_apart() {
    for (url, status, code) in [
        ("/imgproxy/_/w:-1/plain/{id}", 400, "dialect-invalid"),
        ("/imgproxy/_/size3:1/plain/{id}", 400, "dialect-invalid"),
        ("/imgproxy/_/pix:10/plain/{id}", 501, "dialect-unsupported"),
        ("/imgproxy/_/enc/abcdef", 501, "dialect-unsupported"),
        ("/imgproxy/_/plain/https://example.com/cat.jpg", 404, "image-not-found"),
        ("/imgproxy/_/plain/01h00000000000000000000000", 404, "image-not-found"),
        ("/thumbor/unsafe/0x0:9999x/{id}", 404, "image-not-found"),
        ("/thumbor/unsafe/90x90/filters:rotate(45)/{id}", 501, "dialect-unsupported"),
        ("/thumbor/unsafe/90x90/filters:noise(10)/{id}", 501, "dialect-unsupported"),
        ("/thumbor/unsafe/90x90/cat.jpg", 404, "image-not-found"),
        ("/cdn-cgi/image/width=x/{id}", 400, "dialect-invalid"),
        ("/cdn-cgi/image/width=10,border=2/{id}", 501, "dialect-unsupported"),
        ("/cdn-cgi/image/width=10/https://example.com/cat.jpg", 404, "image-not-found"),
        ("/imgix/{id}?w=x", 400, "dialect-invalid"),
        ("/imgix/{id}?w=10&sepia=50", 501, "dialect-unsupported"),
        ("/imgix/nobody.jpg?w=10", 404, "image-not-found"),
        ("/imgix/{id}?w=9000", 400, "dialect-invalid"),
        ("/imgix/{id}?w=8000&h=8000&fit=scale", 422, "output-too-large"),
    ] {
        let answer = get(url);
        assert_eq!(answer.status, status, "{url}: {answer}");
        answer.problem(status, code);
        assert!(!answer.header("cache-control").unwrap_or_default().contains("immutable"), "{answer}");
    }
}

#[test]
fn the_option_to_blame_is_named() {
    for (url, word) in [
        ("/imgproxy/_/w:-1/plain/{id}", "width"),
        ("/imgproxy/_/pix:10/plain/{id}", "pixelate"),
        ("/thumbor/unsafe/90x90/filters:noise(10)/{id}", "noise"),
        ("/cdn-cgi/image/width=10,border=2/{id}", "border"),
        ("/imgix/{id}?w=10&sepia=50", "sepia"),
    ] {
        let problem = get(url).json();
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(word)), "{word} in {problem}");
    }
}

#[test]
fn parts_conditions_and_other_methods_work_as_with_native_urls() {
    let app = App::shared();
    for url in ["/imgproxy/_/w:70/plain/{id}", "/imgix/{id}?w=70", "/iiif/3/{id}/full/70,47/0/default.jpg"] {
        let target = url.replace("{id}", picture());
        let whole = app.get(&target).expect(200);
        let part = app.call("GET", &target).header("range", "bytes=5-14").send().expect(206);
        assert_eq!(part.body, whole.body[5..15], "{url}");
        app.call("GET", &target).header("if-none-match", whole.must_have("etag")).send().expect(304);
        let head = app.call("HEAD", &target).send().expect(200);
        assert_eq!((head.must_have("etag"), head.body.len()), (whole.must_have("etag"), 0), "{url}");
        let preflight = app.call("OPTIONS", &target).header("origin", "https://example.org").send();
        assert_eq!(preflight.must_have("access-control-allow-origin"), "*", "{url}");
        app.call("POST", &target).send().problem(405, "method-not-allowed");
    }
}
