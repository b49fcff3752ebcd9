//! What is made of which pictures, and how fast it is to be.

use std::path::Path;

use anyhow::{Context, Result};

use crate::bench::app::App;
use crate::bench::pictures::{Pictures, numbered};
use crate::bench::sharp;

/// Different assets of each picture: the requests of a run.
pub const N_COPIES: usize = 12;

/// A picture that is stored.
#[derive(Clone, Copy)]
pub enum Picture {
    /// The JPEG that all benches render.
    Photo,
    /// A JPEG of 24 million pixels.
    Large,
    /// A PNG of 4 million pixels, see-through at its edges.
    Cutout,
    /// The photo as a lossy WebP.
    WebP,
}

impl Picture {
    pub const ALL: [Self; 4] = [Self::Photo, Self::Large, Self::Cutout, Self::WebP];

    /// For the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Photo => "JPEG of 2725x2225",
            Self::Large => "JPEG of 6000x4000",
            Self::Cutout => "PNG of 2300x1739 with alpha",
            Self::WebP => "WebP of 2725x2225",
        }
    }

    /// What its file is called, once the pictures are made.
    fn file(self) -> &'static str {
        match self {
            Self::Photo => "photo.jpg",
            Self::Large => "large.jpg",
            Self::Cutout => "cutout.png",
            Self::WebP => "photo.webp",
        }
    }
}

/// What is made of a picture.
pub struct Case {
    pub picture: Picture,
    /// In our words, which sharp's server has, too.
    pub transform: &'static str,
    /// How many times sharp's throughput is wanted of a size that was never asked for.
    pub target: f64,
}

/// Of the original, in any format, and of what is no JPEG, from anything: how many times sharp's throughput is wanted.
pub const TARGET_OF_ORIGINALS: f64 = 0.8;

/// How many times the throughput of one request at a time is wanted of two.
pub const TARGET_OF_TWO: f64 = 1.8;

/// The first is the one that is made at two at a time as well.
pub const CASES: [Case; 6] = [
    Case { picture: Picture::Photo, transform: "w=720,h=588,f=jpeg,q=80", target: 2.0 },
    Case { picture: Picture::Photo, transform: "w=320,f=jpeg,q=80", target: 2.0 },
    Case { picture: Picture::Large, transform: "w=720,f=jpeg,q=80", target: 2.0 },
    Case { picture: Picture::Cutout, transform: "w=720,f=png", target: TARGET_OF_ORIGINALS },
    Case { picture: Picture::WebP, transform: "w=720,f=webp,q=80", target: TARGET_OF_ORIGINALS },
    Case { picture: Picture::Photo, transform: "w=720,f=webp,q=80", target: TARGET_OF_ORIGINALS },
];

/// Where an asset is to be had: its id with us, its file's name with sharp.
pub struct Asset {
    id: String,
    file: String,
}

impl Asset {
    /// The paths of what a transform makes of it, ours and sharp's.
    pub fn paths(&self, transform: &str) -> [String; 2] {
        [format!("/i/{}/{transform}", self.id), sharp::path(&self.file, transform)]
    }
}

/// The assets of a picture.
pub struct Stored {
    /// The size of the picture's file, in bytes.
    pub n_bytes: usize,
    pub assets: Vec<Asset>,
}

/// Makes the pictures, and stores each as [`N_COPIES`] assets and files. In the order of [`Picture::ALL`].
///
/// # Errors
/// When one can't be made or does not become ready.
pub fn provide(app: &App, pictures: &Pictures, files: &Path) -> Result<Vec<Stored>> {
    let photo = files.join(Picture::Photo.file());
    std::fs::write(&photo, &pictures.sample).with_context(|| format!("{} can't be written", photo.display()))?;
    sharp::make_pictures(&photo, files)?;
    Picture::ALL.into_iter().map(|picture| stored(app, picture, files)).collect()
}

fn stored(app: &App, picture: Picture, files: &Path) -> Result<Stored> {
    eprintln!("=== storing a {}, {N_COPIES} times", picture.name());
    let original = std::fs::read(files.join(picture.file()))?;
    let asset = |number| {
        let bytes = numbered(&original, number);
        let file = format!("{number}-{}", picture.file());
        std::fs::write(files.join(&file), &bytes)?;
        Ok(Asset { id: app.client.upload(&bytes)?, file })
    };
    Ok(Stored { n_bytes: original.len(), assets: (0..N_COPIES).map(asset).collect::<Result<_>>()? })
}
