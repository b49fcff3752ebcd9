//! The same request makes the same bytes: in two instances that know nothing of each other, and in a native build.

use blackbox::app::{Options, Wiring};
use blackbox::{App, fixtures, poll};
use resize::pixels::{Extras, Facts, Limits, derive, pick_rung, render};
use transform::{Accept, Plan, Spec};

#[test]
fn two_instances_make_the_same_bytes() {
    let apps = [0, 1].map(|_| App::start(Options::for_tests().wired(Wiring::Embedded)));
    let photo = fixtures::photo(500, 400);
    let mark = fixtures::rgba_png(&fixtures::disc(40, [250, 40, 40]));
    let marks = apps.each_ref().map(|app| app.image(&mark));
    for bytes in [
        fixtures::jpeg(&photo),
        fixtures::png(&photo),
        fixtures::animated_gif(90, 60, 3),
        fixtures::svg(90, 60, "<text x='5' y='50' font-size='20'>Text</text>"),
        fixtures::stored("crates/avif/src/fixtures/full.avif"),
    ] {
        let ids = apps.each_ref().map(|app| app.image(&bytes));
        for transform in [
            "original",
            "thumb",
            "large",
            "w=77",
            "w=77,f=png",
            "w=77,f=webp",
            "w=77,f=webp,lossless=1",
            "w=77,f=gif",
            "w=30,h=50,fit=cover,g=auto,f=png,colors=32",
            "w=30,h=50,fit=cover,g=faces,progressive=1,f=jpeg",
            "w=60,brightness=1.1,contrast=1.2,saturation=0.7,gamma=1.4,tint=804020,f=png",
            "w=60,linear=1,blur=1.5,sharpen=2,radius=9,pad=3,f=png",
            "crop=10p:10p:70p:70p,w=50,rotate=90,f=webp,max-bytes=900",
            "w=80,text=SGVsbG8,text-size=18,f=png",
        ] {
            let answers = [0, 1].map(|idx| apps[idx].delivered(&ids[idx], transform).expect(200));
            assert_eq!(answers[0].must_have("etag"), answers[1].must_have("etag"), "{transform}");
            assert!(answers[0].body == answers[1].body, "{transform} has other bytes");
        }
        // The ids differ, the pictures do not.
        let marked = [0, 1].map(|idx| apps[idx].delivered(&ids[idx], &format!("w=80,wm={},f=png", marks[idx])));
        assert!(marked[0].body == marked[1].body && marked[0].status == 200, "a watermark");
    }
}

/// A drawing without gradients.
const DRAWING: &str = "<rect x='20' y='30' width='200' height='150' rx='12' fill='#c33' stroke='#123' stroke-width='7'/>\
    <circle cx='260.5' cy='150' r='90.25' fill='rgba(20,90,200,0.6)'/>\
    <path d='M20 250 C 80 190 120 290 200 230 S 330 200 380 280' fill='none' stroke='#284' stroke-width='5' \
    stroke-dasharray='9 4'/><g transform='rotate(17 200 150) scale(0.8)' opacity='0.7'><ellipse cx='120' cy='90' rx='60' \
    ry='25' fill='#fd2'/></g><text x='30' y='120' font-size='40' font-family='serif'>Text</text>";

/// Files whose pixels are the same however the engine was built. Not among them: SVG with gradients and lossy JPEG XL,
/// whose decoders compute with what the processor offers (decision 0013).
fn reproducible() -> Vec<(&'static str, Vec<u8>)> {
    let photo = fixtures::photo(1000, 750);
    let mut files = vec![
        ("JPEG", fixtures::jpeg(&photo)),
        ("progressive JPEG", fixtures::progressive_jpeg(&photo)),
        ("CMYK JPEG", fixtures::cmyk_jpeg(400, 300, [30, 200, 90, 20])),
        ("PNG", fixtures::png(&photo)),
        ("PNG with opacity", fixtures::rgba_png(&fixtures::disc(500, [20, 90, 200]))),
        ("WebP", fixtures::webp(&photo)),
        ("GIF", fixtures::animated_gif(90, 60, 3)),
        ("BMP", fixtures::bmp(&photo)),
        ("TIFF", fixtures::tiff(&photo)),
        ("SVG", fixtures::svg(400, 300, DRAWING)),
    ];
    for stored in ["crates/avif/src/fixtures/full.avif", "functions/resize/src/pixels/decode/fixtures/lossless.jxl"] {
        files.push((stored, fixtures::stored(stored)));
    }
    files
}

/// What a native build makes of a transform of `file`: from the rung that the app would take.
fn natively(file: &[u8], transform: &str) -> Vec<u8> {
    let limits = Limits::default();
    let Spec::Transform(transform) = Spec::parse(transform).expect("it is good") else { panic!("not a transform") };
    let source = Facts::read(file, &limits).expect("it is a picture").source;
    let plan = Plan::resolve(&transform, &source, Accept::default()).expect("it is within limits");
    let rungs = derive(file, &[], &limits).expect("rungs can be made").rungs;
    let sizes: Vec<(u32, u32)> = rungs.iter().map(|rung| (rung.width, rung.height)).collect();
    let input = pick_rung(&plan, &sizes).map_or(file, |idx| &rungs[idx].bytes[..]);
    render(input, &plan, &Extras::default(), &limits).expect("it can be made").bytes
}

#[test]
fn a_native_build_makes_the_same_bytes() {
    let app = App::start(Options::for_tests().wired(Wiring::Embedded));
    for (name, file) in reproducible() {
        let id = app.image(&file);
        for transform in [
            "w=300,f=jpeg",
            "w=301,h=200,fit=cover,f=jpeg,q=93",
            "w=300,f=jpeg,progressive=1",
            "w=77,f=png",
            "w=77,f=png,colors=32",
            "w=300,f=webp",
            "w=77,f=webp,lossless=1",
            "w=77,f=gif",
            "w=30,h=50,fit=cover,g=auto,f=png",
            "w=30,h=50,fit=cover,g=entropy,f=png",
            "w=30,h=50,fit=cover,g=faces,f=png",
            "trim,w=60,f=png",
            "w=60,brightness=1.1,contrast=1.2,saturation=0.7,gamma=1.4,tint=804020,f=png",
            "w=60,linear=1,blur=1.5,sharpen=2,radius=9,pad=3,f=png",
            "crop=10p:10p:70p:70p,w=50,rotate=90,f=webp,max-bytes=900",
            "w=80,text=SGVsbG8,text-size=18,f=png",
        ] {
            let answer = app.delivered(&id, transform).expect(200);
            assert!(answer.body == natively(&file, transform), "{name}, {transform}: other bytes than natively");
        }
    }
    // What is made in the background.
    let photo = fixtures::jpeg(&fixtures::photo(160, 120));
    let id = app.image(&photo);
    for (transform, media_type) in [("w=64,f=avif", "image/avif"), ("w=64,f=webp,q=auto", "image/webp")] {
        let made = poll::until("it is made", || {
            let answer = app.delivered(&id, transform).expect(200);
            let is_there = !answer.must_have("cache-control").contains("max-age=10");
            (is_there && answer.must_have("content-type") == media_type).then_some(answer)
        });
        assert!(made.body == natively(&photo, transform), "{transform}: other bytes than natively");
    }
}
