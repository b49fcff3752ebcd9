//! Two instances that know nothing of each other make the same bytes of the same request.

use blackbox::app::{Options, Wiring};
use blackbox::{App, fixtures};

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
