use super::*;
use crate::{Accept, Context, Format, Gravity, Place, Smart, Source, Transform, TransformErrorKind};

const PHOTO: Source =
    Source { width: 1200, height: 800, format: Format::Jpeg, has_alpha: false, frames: 1, is_lossless: None };
const LOGO: Source = Source { format: Format::Png, has_alpha: true, ..PHOTO };
const LOOP: Source = Source { format: Format::Gif, has_alpha: true, frames: 9, ..PHOTO };

const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const WATERMARK: &str = "01arz3ndektsv4rrffq69g5fav";

fn resolved(options: &str, source: Source, accept: Accept) -> Result<Plan, TransformError> {
    let transform: Transform = options.parse().unwrap_or_else(|error| panic!("{options}: {error}"));
    Plan::resolve(&transform, &source, Context { accept, filter_digest: Some(DIGEST), ..Context::default() })
}

fn plan(options: &str, source: Source, accept: Accept) -> Plan {
    resolved(options, source, accept).unwrap_or_else(|error| panic!("{options}: {error}"))
}

fn render(options: &str, source: Source, accept: Accept) -> Render {
    match plan(options, source, accept) {
        Plan::Render(render) => render,
        Plan::Original => panic!("{options} is a render"),
    }
}

fn check_text(options: &str, source: Source, expected: &str) {
    let plan = plan(options, source, Accept::Plain);
    assert_eq!(plan.to_string(), expected, "{options}");
    assert_eq!(expected.parse(), Ok(plan), "{options}");
}

/// Stores hold variants under these keys: a change here is a change of what is found.
#[test]
fn plans_print_as_ever_and_read_back() {
    check_text("w=600", PHOTO, "s=600x400,f=jpeg,q=80");
    check_text("w=600,q=30", PHOTO, "s=600x400,f=jpeg,q=30");
    check_text("w=2000", PHOTO, "s=1200x800,f=jpeg,q=80");
    check_text("w=2400,enlarge=1", PHOTO, "s=2400x1600,f=jpeg,q=80");
    check_text("w=400,h=400,fit=cover", PHOTO, "s=600x400,c=100.0.400.400,f=jpeg,q=80");
    check_text("w=400,h=400,fit=cover,g=e,rotate=90", PHOTO, "o=1,s=400x600,c=0.100.400.400,f=jpeg,q=80");
    check_text("w=400,h=400,fit=contain", PHOTO, "s=400x267,p=0.66.400.400,b=ffffff,f=jpeg,q=80");
    check_text("w=400,h=400,fit=contain,bg=ff000088", LOGO, "s=400x267,p=0.66.400.400,b=ff000088,f=png");
    check_text("w=300,f=jpeg", LOGO, "s=300x200,b=ffffff,f=jpeg,q=80");
    check_text("w=300,f=jpeg,bg=00000080", LOGO, "s=300x200,b=7f7f7f,f=jpeg,q=80");
    check_text("flip=h,f=png", PHOTO, "o=0h,s=1200x800,f=png");
    check_text("rotate=270,flip=v", PHOTO, "o=1h,s=800x1200,f=jpeg,q=80");
    check_text("w=300,blur=2.50,sharpen=1", PHOTO, "s=300x200,blur=2.5,sharpen=1,f=jpeg,q=80");
    check_text("w=300,f=webp,lossless=1", PHOTO, "s=300x200,f=webp");
    assert_eq!("original".parse(), Ok(Plan::Original));
    assert_eq!(Plan::Original.to_string(), "original");
}

#[test]
fn every_option_has_its_field() {
    let check = check_text;
    check("w=400,h=400,fit=contain,f=webp", PHOTO, "s=400x267,p=0.66.400.400,f=webp,q=80");
    check("crop=10:20:300:150", PHOTO, "crop=10.20.300.150.1200.800,s=300x150,f=jpeg,q=80");
    check("crop=50p:50p:50p:50p,w=300", PHOTO, "crop=600.400.600.400.1200.800,s=300x200,f=jpeg,q=80");
    check("crop=1100:0:500:800,rotate=90", PHOTO, "crop=1100.0.100.800.1200.800,o=1,s=800x100,f=jpeg,q=80");
    check("ar=1:1", PHOTO, "s=1200x800,c=200.0.800.800,f=jpeg,q=80");
    check("w=600,ar=2:1", PHOTO, "s=600x400,c=0.50.600.300,f=jpeg,q=80");
    check("w=400,h=400,fit=cover,g=auto", PHOTO, "s=600x400,c=attention.400.400,f=jpeg,q=80");
    check("w=400,h=399,fit=cover,g=faces", PHOTO, "s=599x399,c=faces.400.399,f=jpeg,q=80");
    check("w=400,h=300,fit=cover,g=entropy", PHOTO, "s=450x300,c=entropy.400.300,f=jpeg,q=80");
    check("w=600,linear=1", PHOTO, "s=600x400,linear=1,f=jpeg,q=80");
    check("w=600,pad=20,f=png", PHOTO, "s=600x400,p=20.20.640.440,f=png");
    check("w=600,pad=0:0:50:0", PHOTO, "s=600x400,p=0.0.600.450,b=ffffff,f=jpeg,q=80");
    check("w=600,radius=30", PHOTO, "s=600x400,b=ffffff,radius=30,f=jpeg,q=80");
    check("w=600,radius=200,f=png", PHOTO, "s=600x400,radius=max,f=png");
    check(
        "w=600,brightness=1.2,contrast=0.9,saturation=0,gamma=2.2",
        PHOTO,
        "s=600x400,brightness=1.2,contrast=0.9,saturation=0,gamma=2.2,f=jpeg,q=80",
    );
    check("w=600,gray=1", PHOTO, "s=600x400,gray=1,f=jpeg,q=80");
    check("w=600,bitonal=1,gray=1", PHOTO, "s=600x400,bitonal=1,f=jpeg,q=80");
    check("w=600,tint=F80", PHOTO, "s=600x400,tint=ff8800,f=jpeg,q=80");
    check("w=600,filter=sepia:0.5", PHOTO, "s=600x400,b=ffffff,filter=sepia:0.5_0123456789abcdef,f=jpeg,q=80");
    check(&format!("w=600,wm={WATERMARK}"), PHOTO, &format!("s=600x400,wm={WATERMARK}_se_100_20_10,f=jpeg,q=80"));
    check(
        &format!("w=600,wm={WATERMARK},wm-g=tile,wm-opacity=30,wm-scale=5,wm-pad=0"),
        PHOTO,
        &format!("s=600x400,wm={WATERMARK}_tile_30_5_0,f=jpeg,q=80"),
    );
    check("w=600,text=w5w_Pz8-", PHOTO, "s=600x400,text=32_ffffff_sans_10_s_w5w_Pz8-,f=jpeg,q=80");
    check(
        "w=300,dpr=2,text=aGk=,text-g=0.1:0.2,text-size=20,text-color=00000088,text-font=mono",
        PHOTO,
        "s=600x400,text=40_00000088_mono_20_0.1:0.2_aGk,f=jpeg,q=80",
    );
    check("w=600,f=png,colors=16", PHOTO, "s=600x400,f=png,colors=16");
    check("w=600,progressive=1", PHOTO, "s=600x400,f=jpeg,q=80,progressive=1");
    check("w=600,f=avif", PHOTO, "s=600x400,f=avif,q=50");
    check("w=600,f=avif,q=auto", PHOTO, "s=600x400,f=avif,q=auto");
    check("w=600,q=auto,max-bytes=30000", PHOTO, "s=600x400,f=jpeg,q=auto,max=30000");
    check("w=600", LOOP, "s=600x400,f=gif,anim=1");
    check("w=600,anim=0", LOOP, "s=600x400,f=gif");
    check("w=600,f=webp", LOOP, "s=600x400,f=webp,q=80,anim=1");
    check("w=600,f=webp,lossless=1", LOOP, "s=600x400,f=webp,anim=1");
}

#[test]
fn a_trimmed_plan_keeps_the_request() {
    let check = check_text;
    check("trim", PHOTO, "trim=10,f=jpeg,q=80");
    check("trim=200,w=300,dpr=2", PHOTO, "trim=200,w=600,f=jpeg,q=80");
    check("trim,w=600,h=400,fit=cover,g=auto", PHOTO, "trim=10,w=600,h=400,fit=cover,g=attention,f=jpeg,q=80");
    check("trim,ar=1.91:1,g=n", PHOTO, "trim=10,ar=191:100,g=n,f=jpeg,q=80");
    check("trim,ar=1:1,fit=contain", PHOTO, "trim=10,ar=1:1,fit=contain,b=ffffff,f=jpeg,q=80");
    check("trim,w=9,enlarge=1,pad=1:2:3:4", PHOTO, "trim=10,w=9,enlarge=1,pad=1:2:3:4,b=ffffff,f=jpeg,q=80");
    check("trim,w=9,radius=8000,linear=1,f=png", PHOTO, "trim=10,w=9,linear=1,radius=8000,f=png");
    check("trim,linear=1", PHOTO, "trim=10,f=jpeg,q=80");
    check("trim,crop=0:0:50p:50p,rotate=90,flip=h", PHOTO, "crop=0.0.600.400.1200.800,trim=10,o=1h,f=jpeg,q=80");
}

/// What is resolved after a trim is what would have been resolved of the trimmed picture.
#[test]
fn a_trimmed_plan_resolves_as_one_of_the_smaller_picture() {
    for options in [
        "w=300",
        "w=300,h=100,fit=cover,g=faces",
        "w=300,h=100,fit=cover,g=e,rotate=90",
        "ar=16:9,pad=10:20",
        "w=5000,fit=contain,g=w",
        "h=900,enlarge=1,fit=fill",
        "rotate=270,flip=h,ar=1:1,fit=contain",
    ] {
        let options = options.replace("pad=10:20", "pad=10:20:30:40");
        let trimmed = render(&format!("trim,{options}"), PHOTO, Accept::Plain);
        for (width, height) in [(1200, 800), (633, 77), (1, 800), (1, 1)] {
            let expected = render(&options, Source { width, height, ..PHOTO }, Accept::Plain).geometry();
            let geometry = trimmed.resolve_trimmed(width, height, Limits::default());
            assert_eq!(geometry.ok(), expected, "{options} of {width}x{height}");
        }
        assert_eq!(trimmed.geometry(), None);
        assert_eq!(trimmed.trim(), Some(10));
        assert_eq!(trimmed.source_size(), None);
    }
    let trimmed = render("trim,w=8000,enlarge=1", PHOTO, Accept::Plain);
    let kind = |width, height| trimmed.resolve_trimmed(width, height, Limits::default()).map_err(|error| error.kind);
    assert_eq!(kind(10, 100), Err(TransformErrorKind::Limit { limit: 8192, actual: 80_000 }));
    assert_eq!(kind(0, 100), Err(TransformErrorKind::Invalid));
    let fixed = render("w=300", PHOTO, Accept::Plain);
    assert_eq!(fixed.resolve_trimmed(7, 7, Limits::default()).ok(), fixed.geometry());
}

#[test]
fn the_format_follows_source_wish_and_client() {
    let check = |options: &str, source: (Format, bool), expected: [&str; 3]| {
        let source = Source { format: source.0, has_alpha: source.1, ..PHOTO };
        for (accept, expected) in [Accept::Plain, Accept::WebP, Accept::Avif].into_iter().zip(expected) {
            let text = render(options, source, accept).to_string();
            let found = text.split_once(",f=").map(|(_, file)| file);
            assert_eq!(found, Some(expected), "{options} of {source:?}, {accept:?}");
        }
    };
    use Format::{Avif, Bmp, Gif, Heic, Ico, Jpeg, Jxl, Png, Svg, Tiff, WebP};
    let always = |text| [text; 3];
    check("w=9", (Jpeg, false), always("jpeg,q=80"));
    check("w=9", (Png, true), always("png"));
    check("w=9", (Gif, false), always("gif"));
    check("w=9", (WebP, false), always("webp,q=80"));
    for format in [Avif, Tiff, Bmp, Jxl, Heic] {
        check("w=9", (format, false), always("jpeg,q=80"));
        check("w=9,bg=fff", (format, true), always("jpeg,q=80"));
    }
    for format in [Avif, Jxl, Heic] {
        check("w=9", (format, true), always("webp,q=80"));
    }
    for format in [Tiff, Bmp, Ico, Svg] {
        check("w=9", (format, true), always("png"));
    }
    check("w=9", (Svg, false), always("png"));
    check("f=jpg", (Png, true), always("jpeg,q=80"));
    check("f=avif,q=61", (Png, true), always("avif,q=61"));

    let photo = ["jpeg,q=80", "webp,q=80,or=jpeg.80", "avif,q=50,or=jpeg.80"];
    for format in [Jpeg, WebP, Avif, Jxl, Heic] {
        check("f=auto", (format, false), photo);
        check("f=auto,bg=fff", (format, true), photo);
        check("f=auto", (format, true), ["png", "webp,q=80", "avif,q=50"]);
    }
    let drawing = ["png", "webp,q=80,or=webp", "avif,q=50,or=webp"];
    for format in [Png, Gif, Tiff, Bmp, Ico, Svg] {
        check("f=auto", (format, false), drawing);
        check("f=auto", (format, true), drawing);
    }
    check("f=auto,q=60", (Jpeg, false), ["jpeg,q=60", "webp,q=60,or=jpeg.60", "avif,q=38,or=jpeg.60"]);
    check("f=auto,q=auto", (Jpeg, false), ["jpeg,q=auto", "webp,q=auto,or=jpeg.auto", "avif,q=auto,or=jpeg.auto"]);
    check(
        "f=auto,progressive=1",
        (Jpeg, false),
        ["jpeg,q=80,progressive=1", "webp,q=80,or=jpeg.80.progressive", "avif,q=50,or=jpeg.80.progressive"],
    );
    check("f=auto,max-bytes=900", (Jpeg, false), ["jpeg,q=80,max=900", "webp,q=80,max=900", "avif,q=50,max=900"]);
    check("f=auto,max-bytes=900", (Png, false), ["png", "webp,q=80,max=900", "avif,q=50,max=900"]);
    check("f=auto,lossless=1", (Jpeg, false), ["jpeg,q=80", "webp", "webp"]);
    check("f=auto,colors=8", (Png, false), ["png,colors=8", "webp,q=80,or=webp", "avif,q=50,or=webp"]);
    check("f=auto,radius=9", (Jpeg, false), ["png", "webp,q=80", "avif,q=50"]);
    check("f=auto,radius=9,bg=fff", (Jpeg, false), photo);
    check("f=auto,pad=9", (Jpeg, false), ["png", "webp,q=80", "avif,q=50"]);
    check("f=auto,pad=9,bg=fff", (Jpeg, false), photo);
}

#[test]
fn what_is_known_of_losses_counts() {
    let check = |options: &str, format: Format, is_lossless: bool, expected: Output| {
        let source = Source { format, has_alpha: true, is_lossless: Some(is_lossless), ..PHOTO };
        assert_eq!(render(options, source, Accept::Plain).output(), expected, "{options} of {format}, {is_lossless}");
    };
    let lossy = Output::WebP { quality: Quality::Fixed(80) };
    let png = Output::Png { colors: None };
    check("w=9", Format::WebP, true, Output::WebPLossless);
    check("w=9", Format::WebP, false, lossy);
    check("w=9", Format::Jxl, true, png);
    check("w=9", Format::Jxl, false, lossy);
    check("w=9", Format::Tiff, false, lossy);
    check("f=webp", Format::WebP, true, lossy);
    check("lossless=1", Format::WebP, false, Output::WebPLossless);
    check("lossless=1", Format::Png, true, png);
}

#[test]
fn animations_stay_animated_where_the_format_can() {
    let check = |options: &str, format: Format, accept: Accept, expected: (Format, bool)| {
        let render = render(options, Source { format, ..LOOP }, accept);
        let found = (render.output().format(), render.is_animated());
        assert_eq!(found, expected, "{options} of {format}");
        assert!(!render.is_animated() || render.alternative().is_none(), "{options} of {format}");
    };
    use Format::{Avif, Gif, Ico, Jpeg, Png, Tiff, WebP};
    check("w=9", Gif, Accept::Plain, (Gif, true));
    check("w=9", WebP, Accept::Plain, (WebP, true));
    check("w=9", Png, Accept::Plain, (Png, false));
    check("f=webp", Png, Accept::Plain, (WebP, true));
    check("f=gif", WebP, Accept::Plain, (Gif, true));
    check("f=gif,anim=0", WebP, Accept::Plain, (Gif, false));
    check("f=jpeg", Gif, Accept::Plain, (Jpeg, false));
    check("f=auto", Gif, Accept::Plain, (Gif, true));
    check("f=auto", Gif, Accept::WebP, (WebP, true));
    check("f=auto", Gif, Accept::Avif, (WebP, true));
    check("f=auto,anim=0", Gif, Accept::Avif, (Avif, false));
    check("f=auto,anim=0", Gif, Accept::Plain, (Png, false));
    // Pages and sizes are no animation.
    for format in [Tiff, Ico, Avif] {
        check("f=gif", format, Accept::Plain, (Gif, false));
    }
}

#[test]
fn what_takes_long_has_something_to_answer_with_meanwhile() {
    let check = |options: &str, source: Source, accept: Accept, expected: Option<&str>| {
        let render = render(options, source, accept);
        assert_eq!(render.is_expensive(), expected.is_some(), "{options}");
        let ready = render.ready_alternative();
        assert_eq!(ready.as_ref().map(ToString::to_string).as_deref(), expected, "{options}");
        assert!(ready.is_none_or(|ready| !ready.is_expensive()), "{options}");
    };
    for options in ["w=600", "w=600,f=webp", "w=600,f=auto", "w=600,max-bytes=900", "w=600,f=png"] {
        check(options, PHOTO, Accept::WebP, None);
    }
    check("w=600,f=avif", PHOTO, Accept::Plain, Some("s=600x400,f=webp,q=80"));
    check("w=600,f=avif,q=25,radius=9", PHOTO, Accept::Plain, Some("s=600x400,radius=9,f=webp,q=40"));
    check("w=600,f=avif,q=auto", PHOTO, Accept::Plain, Some("s=600x400,f=webp,q=80"));
    check("w=600,f=avif,max-bytes=900", PHOTO, Accept::Plain, Some("s=600x400,f=webp,q=80,max=900"));
    check("w=600,q=auto,progressive=1", PHOTO, Accept::Plain, Some("s=600x400,f=jpeg,q=80,progressive=1"));
    check("w=600,q=auto,f=webp", PHOTO, Accept::Plain, Some("s=600x400,f=webp,q=80"));
    check("w=600,q=auto", LOGO, Accept::Plain, None);
    // The ready one of AVIF is what a client without AVIF gets.
    for (options, source) in [("w=600,f=auto", PHOTO), ("w=600,f=auto,q=61", PHOTO), ("w=600,f=auto", LOGO)] {
        let plan = render(options, source, Accept::WebP).to_string();
        check(options, source, Accept::Avif, Some(&plan));
    }
    let plan = render("w=600,f=auto", PHOTO, Accept::WebP).to_string();
    check("w=600,f=auto,q=auto", PHOTO, Accept::WebP, Some(&plan));
    check("w=600,f=auto,q=auto", PHOTO, Accept::Avif, Some(&plan));
}

#[test]
fn equivalent_requests_make_equal_plans() {
    let check = |source: Source, spellings: &[&str]| {
        for options in spellings {
            assert_eq!(plan(options, source, Accept::Plain), plan(spellings[0], source, Accept::Plain), "{options}");
        }
    };
    check(PHOTO, &["w=600", "width=600", "h=400", "w=300,dpr=2", "w=600,h=400,fit=fill", "w=600,f=auto", "w=600,q=80"]);
    check(PHOTO, &["w=600,bg=f00", "w=600", "w=600,bg=transparent", "w=600,h=400,fit=cover,g=nw"]);
    check(PHOTO, &["f=jpeg", "w=5000", "w=1200,h=5000,fit=cover", "rotate=180,flip=hv"]);
    check(PHOTO, &["w=600", "w=600,crop=0:0:1200:800", "w=600,crop=0:0:5000:100p", "w=600,ar=3:2"]);
    check(PHOTO, &["w=600", "w=600,anim=0", "w=600,lossless=1", "w=600,colors=9", "w=600,h=400,fit=cover,g=auto"]);
    check(PHOTO, &["w=1200", "w=1200,linear=1", "linear=1", "ar=3:2", "ar=3:2,fit=contain"]);
    check(PHOTO, &["crop=300:200:50p:400", "crop=25p:25p:600:50p"]);
    check(PHOTO, &["w=100,h=100,fit=cover,radius=max", "w=100,ar=1:1,radius=50", "w=50,ar=1:1,dpr=2,radius=99"]);
    check(PHOTO, &["w=400,h=400,fit=contain", "w=400,ar=1:1,fit=contain"]);
    check(LOGO, &["w=600,f=jpeg", "w=600,f=jpeg,bg=ffffff", "w=600,f=jpeg,bg=fff"]);
    check(LOGO, &["w=600,f=png", "w=600", "w=600,f=auto", "w=600,q=33", "w=600,max-bytes=999"]);
    check(LOOP, &["w=600", "w=600,f=gif", "w=600,f=gif,anim=1", "w=600,f=auto"]);
}

#[test]
fn a_crop_can_be_made_of_a_smaller_copy() {
    let check = |options: &str, expected: Option<(u32, u32)>| {
        assert_eq!(render(options, PHOTO, Accept::Plain).source_size(), expected, "{options}");
    };
    check("w=300", Some((300, 200)));
    check("w=300,rotate=90", Some((450, 300)));
    check("w=300,crop=0:0:50p:50p", Some((600, 400)));
    check("w=300,crop=0:0:600:800", Some((600, 400)));
    check("w=50,crop=0:0:600:800,rotate=90", Some((76, 50)));
    check("w=300,crop=0:0:7:7,enlarge=1", Some((51429, 34286)));
    check("w=300,trim", None);
    let crop = render("w=300,crop=25p:0:50p:50p", PHOTO, Accept::Plain).crop();
    let window = Window { x: 300, y: 0, width: 600, height: 400 };
    assert_eq!(crop, Some(Crop { window, of: (1200, 800) }));
    assert_eq!(render("w=300", LOOP, Accept::Plain).source_size(), None);
    assert_eq!(render("w=300,anim=0", LOOP, Accept::Plain).source_size(), Some((300, 200)));
}

#[test]
fn accessors_tell_what_was_asked_for() {
    let options = format!(
        "w=300,h=200,fit=cover,g=faces,gamma=2.2,bitonal=1,tint=102030,filter=sepia:0.5:x,radius=max,\
         wm={WATERMARK},wm-g=tile,wm-opacity=30,wm-scale=5,wm-pad=7,text=aGk,text-g=ne,text-size=9,text-font=serif"
    );
    let render = render(&options, Source { height: 900, ..PHOTO }, Accept::Plain);
    assert_eq!(render.geometry().and_then(|geometry| geometry.smart), Some(Smart::Faces));
    assert_eq!(render.adjustments().gamma.value(), 2.2);
    assert_eq!(render.adjustments().brightness.hundredths(), 100);
    assert_eq!(render.tone(), Some(Tone::Bitonal));
    assert_eq!(render.tint(), Some([16, 32, 48]));
    assert_eq!(render.radius(), Some(Radius::Max));
    let filter = render.filter().unwrap();
    assert_eq!((filter.name(), filter.digest()), ("sepia", "0123456789abcdef"));
    assert_eq!(filter.args().collect::<Vec<_>>(), ["0.5", "x"]);
    let watermark = render.watermark().unwrap();
    assert_eq!((watermark.image(), watermark.place()), (WATERMARK, Place::Tile));
    assert_eq!((watermark.opacity(), watermark.scale(), watermark.padding()), (30, 5, 7));
    let text = render.text().unwrap();
    assert_eq!((text.text(), text.size(), text.padding()), ("hi", 9, 10));
    assert_eq!((text.font().name(), text.color(), text.gravity().to_string().as_str()), ("serif", Color::WHITE, "ne"));
    assert_eq!(text.gravity().crop_left(100), 100);
    assert_eq!(Gravity::SOUTH.pad_top(9), 9);
}

#[test]
fn refuses_what_is_no_plan() {
    let check = |text: &str| {
        let kind = text.parse::<Plan>().err().map(|error| error.kind);
        assert_eq!(kind, Some(TransformErrorKind::Invalid), "{text}");
    };
    for text in ["", "Original", "w=600", "s=600x400", "s=600x400,f=tiff", "s=600x400,f=jpeg", "s=600x400,f=jpeg,q=0"] {
        check(text);
    }
    for text in ["s=600x400,f=png,q=80", "f=png,s=600x400", "s=600x400,s=600x400,f=png", "s=+600x400,f=png"] {
        check(text);
    }
    for text in ["s=0x400,f=png", "s=600x400,c=0.0.600.400,f=png", "s=600x400,c=1.0.600.400,f=png"] {
        check(text);
    }
    for text in ["s=600x400,c=4294967295.0.600.400,f=png", "s=600x400,p=0.0.600.400,f=png", "s=6x4,p=1.0.6.9,f=png"] {
        check(text);
    }
    for text in ["s=9000x400,f=png", "s=8192x8192,f=png", "o=0,s=6x4,f=png", "o=4,s=6x4,f=png", "o=h,s=6x4,f=png"] {
        check(text);
    }
    for text in ["s=6x4,b=fff,f=png", "s=6x4,blur=0.1,f=png", "s=6x4,blur=2.0,f=png", "s=6x4,,f=png", "s=6x4,f=png,"] {
        check(text);
    }
    for text in
        ["s=6x4,c=faces.6.4,f=png", "s=6x4,c=faces.7.4,f=png", "s=6x4,c=auto.3.4,f=png", "s=6x4,c=faces.0.4,f=png"]
    {
        check(text);
    }
    for text in ["crop=0.0.6.4.6.4,s=6x4,f=png", "crop=1.0.6.4.6.4,s=6x4,f=png", "crop=0.0.6.4,s=6x4,f=png"] {
        check(text);
    }
    for text in ["trim=0,f=png", "trim=256,f=png", "trim,f=png", "trim=10,s=6x4,f=png", "s=6x4,trim=10,f=png"] {
        check(text);
    }
    for text in ["trim=10,w=0,f=png", "trim=10,w=9,fit=cover,f=png", "trim=10,w=9,ar=1:1,f=png", "trim=10,g=n,f=png"] {
        check(text);
    }
    for text in ["trim=10,ar=2:2,f=png", "trim=10,h=1,w=1,f=png", "trim=10,pad=0,f=png", "trim=10,w=9,dpr=2,f=png"] {
        check(text);
    }
    for text in ["s=6x4,radius=0,f=png", "s=6x4,radius=2,f=png", "s=6x4,radius=1.5,f=png", "trim=10,radius=0,f=png"] {
        check(text);
    }
    for text in ["s=6x4,gamma=1,f=png", "s=6x4,gamma=0,f=png", "s=6x4,gray=0,f=png", "s=6x4,gray=1,bitonal=1,f=png"] {
        check(text);
    }
    for text in ["s=6x4,tint=fff,f=png", "s=6x4,linear=0,f=png", "s=6x4,filter=a,f=png", "s=6x4,filter=a_0,f=png"] {
        check(text);
    }
    let watermark = |rest: &str| format!("s=6x4,wm={WATERMARK}{rest},f=png");
    assert!(watermark("_se_100_20_10").parse::<Plan>().is_ok());
    for rest in ["", "_se_100_20", "_se_100_20_10_1", "_se_0_20_10", "_se_100_101_10", "_0.5:1_100_20_10"] {
        check(&watermark(rest));
    }
    for text in ["32_ffffff_sans_10_s_", "0_ffffff_sans_10_s_aGk", "32_fff_sans_10_s_aGk", "32_ffffff_sans_10_s_aGk="] {
        check(&format!("s=6x4,text={text},f=png"));
    }
    for file in ["jpeg,q=80,anim=1", "png,max=900", "jpeg,q=80,max=0", "jpeg,q=80,colors=9", "gif,q=80", "avif", "heic"]
    {
        check(&format!("s=6x4,f={file}"));
    }
    for file in ["webp,or=jpeg.80", "jpeg,q=80,or=jpeg.70", "webp,q=80,or=webp.80", "webp,q=80,or=png", "png,colors=1"]
    {
        check(&format!("s=6x4,f={file}"));
    }
    for file in ["webp,q=80,anim=1,or=webp", "webp,q=80,max=9,or=webp", "webp,q=80,or=jpeg.080", "png,progressive=1"] {
        check(&format!("s=6x4,f={file}"));
    }
}

/// The longest of everything does not fit, and is refused rather than cut; all but the longest does.
#[test]
fn plans_stay_within_their_length() {
    let options = |n_text: usize, filter: &str| {
        let text = crate::overlay::text_to_base64(&"x".repeat(n_text));
        format!(
            "crop=1000:1000:4000:3000,rotate=90,flip=h,w=3333,h=3333,fit=cover,g=0.1234:0.5678,linear=1,pad=100,\
             bg=12345678,brightness=1.23,contrast=1.23,saturation=1.23,gamma=1.23,bitonal=1,tint=123456,blur=99.99,\
             sharpen=9.99,filter={filter},radius=1234,wm={WATERMARK},wm-g=0.1234:0.5678,wm-opacity=99,wm-scale=99,\
             wm-pad=8192,text={text},text-g=0.1234:0.5678,text-size=2000,text-color=12345678,text-font=serif,\
             text-pad=8192,f=webp,q=auto,max-bytes=999999999"
        )
    };
    let source = Source { width: 10_000, height: 10_000, ..LOOP };
    let most = plan(&options(60, "sepia:0.5"), source, Accept::Avif).to_string();
    assert!(most.len() <= Plan::MAX_BYTES, "{most} has {} bytes", most.len());
    assert!(most.bytes().all(|b| b.is_ascii_alphanumeric() || b".,:=_-".contains(&b)), "{most}");
    let error = resolved(&options(120, &"x".repeat(100)), source, Accept::Avif).unwrap_err();
    assert_eq!(error.kind, TransformErrorKind::Invalid, "{error}");
    assert!(format!("s=600x400,text=32_ffffff_sans_10_s_{},f=png", "eHh4".repeat(200)).parse::<Plan>().is_err());
}

#[test]
fn refuses_what_the_picture_does_not_have() {
    let check = |options: &str, source: Source, kind: TransformErrorKind, option: Option<&str>| {
        let error = resolved(options, source, Accept::Plain).expect_err(options);
        assert_eq!((error.kind, error.option.as_deref()), (kind, option), "{options}: {error}");
    };
    check("w=9", Source { width: 0, ..PHOTO }, TransformErrorKind::Invalid, None);
    check("crop=1200:0:10:10", PHOTO, TransformErrorKind::Invalid, Some("crop"));
    check("crop=0:800:10p:10p", PHOTO, TransformErrorKind::Invalid, Some("crop"));
    let limit = TransformErrorKind::Limit { limit: 8192, actual: 8200 };
    check("pad=3500", PHOTO, limit, Some("width"));
}

#[test]
fn a_filter_needs_the_digest_of_its_code() {
    let check = |filter_digest: Option<&str>, expected: Result<(), TransformErrorKind>| {
        let transform: Transform = "w=9,filter=sepia".parse().unwrap();
        let plan = Plan::resolve(&transform, &PHOTO, Context { filter_digest, ..Context::default() });
        assert_eq!(plan.map(drop).map_err(|error| error.kind), expected, "{filter_digest:?}");
    };
    check(Some(DIGEST), Ok(()));
    check(Some(&DIGEST[..16]), Ok(()));
    check(None, Err(TransformErrorKind::FilterUnknown));
    check(Some("short"), Err(TransformErrorKind::Invalid));
}
