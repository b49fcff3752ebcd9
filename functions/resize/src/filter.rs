//! Filters of the operator's own: a component that is called with pixels and gives pixels back.
//!
//! What it gives back is taken for hostile, like a file: it is checked here before anybody works with it. A trap inside
//! of it is a trap of this instance, which no other request shares; who waits for the picture is told by whoever asked
//! this component for it.

/// Characters of a filter's explanation that are passed on.
const MAX_DETAIL: usize = 200;

/// The filters, wherever they are: the component that `spin.toml` names, or a test's.
pub trait Filters {
    /// Calls the filter `name` with pixels as in `wit/imaging.wit`.
    ///
    /// # Errors
    /// What the component says.
    fn call(&self, name: &str, args: &[String], picture: Picture) -> Result<Picture, Refusal>;
}

/// Pixels: rows from the top, without padding; red, green, blue and opacity, not premultiplied, in sRGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Four bytes for each pixel.
    pub rgba: Vec<u8>,
}

/// What a component answers in place of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It has no filter of that name.
    Unknown,
    /// An argument is wrong, and why.
    BadParameter(String),
    /// It can't do it for this picture, and why.
    Failed(String),
}

/// Why there is no filtered picture. The text is for whoever wrote the URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// There is no filter of that name.
    #[error("there is no filter `{name}`")]
    Unknown {
        /// As in the URL.
        name: String,
    },
    /// An argument is wrong.
    #[error("the filter `{name}` does not take these arguments: {detail}")]
    BadParameter {
        /// As in the URL.
        name: String,
        /// What the filter says.
        detail: String,
    },
    /// The filter can't do it for this picture.
    #[error("the filter `{name}` failed: {detail}")]
    Failed {
        /// As in the URL.
        name: String,
        /// What the filter says.
        detail: String,
    },
    /// What came back is not the size of what went in. The filter's fault.
    #[error("the filter `{name}` broke its word: it made {actual} of a picture of {expected}")]
    WrongSize {
        /// As in the URL.
        name: String,
        /// The size that went in.
        expected: String,
        /// What came back.
        actual: String,
    },
}

impl FilterError {
    /// The code of the problem that a client gets, with the status 422.
    pub const CODE: &str = "filter-refused";
}

/// Puts the filter `name` over a picture, whose size stays the same.
///
/// # Errors
/// When there is no such filter, it refuses, or what it gives back is not a picture of that size. The pixels are gone
/// then.
pub fn apply(filters: &dyn Filters, name: &str, args: &[String], picture: &mut Picture) -> Result<(), FilterError> {
    let (width, height, n_bytes) = (picture.width, picture.height, picture.rgba.len());
    let rgba = std::mem::take(&mut picture.rgba);
    let name = || name.to_owned();
    let made = filters.call(&name(), args, Picture { width, height, rgba }).map_err(|refusal| match refusal {
        Refusal::Unknown => FilterError::Unknown { name: name() },
        Refusal::BadParameter(detail) => FilterError::BadParameter { name: name(), detail: clean(&detail) },
        Refusal::Failed(detail) => FilterError::Failed { name: name(), detail: clean(&detail) },
    })?;
    if (made.width, made.height, made.rgba.len()) != (width, height, n_bytes) {
        let expected = format!("{width} x {height} pixels");
        let actual = format!("{} x {} pixels in {} bytes", made.width, made.height, made.rgba.len());
        return Err(FilterError::WrongSize { name: name(), expected, actual });
    }
    *picture = made;
    Ok(())
}

/// A text that somebody else wrote, as it may stand in an answer: one line, and not too long.
fn clean(text: &str) -> String {
    let visible = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    visible.take(MAX_DETAIL).collect::<String>().trim().to_owned()
}

/// The operator's filters, for the engine. Where there is no component, as in tests on the host, there is no filter.
pub struct Installed;

impl crate::pixels::Filter for Installed {
    fn filtered(&self, name: &str, args: &[String], size: (u32, u32), rgba: Vec<u8>) -> Result<Vec<u8>, String> {
        let mut picture = Picture { width: size.0, height: size.1, rgba };
        #[cfg(target_arch = "wasm32")]
        let filters = Component;
        #[cfg(not(target_arch = "wasm32"))]
        let filters = Nothing;
        apply(&filters, name, args, &mut picture).map_err(|error| error.to_string())?;
        Ok(picture.rgba)
    }
}

/// No filters.
#[cfg(not(target_arch = "wasm32"))]
struct Nothing;

#[cfg(not(target_arch = "wasm32"))]
impl Filters for Nothing {
    fn call(&self, _name: &str, _args: &[String], _picture: Picture) -> Result<Picture, Refusal> {
        Err(Refusal::Unknown)
    }
}

#[cfg(target_arch = "wasm32")]
pub use component::Component;

/// The component that `spin.toml` names.
#[cfg(target_arch = "wasm32")]
mod component {
    use super::{Filters, Picture, Refusal};

    wit_bindgen::generate!({ path: "../../wit", world: "filtered" });

    use scalehoster::imaging::filter::{self, FilterError, Image};

    /// The component that `spin.toml` names.
    #[derive(Debug, Clone, Copy)]
    pub struct Component;

    impl Filters for Component {
        fn call(&self, name: &str, args: &[String], picture: Picture) -> Result<Picture, Refusal> {
            let Picture { width, height, rgba } = picture;
            let image = Image { width, height, pixels: rgba };
            match filter::apply(name, args, &image) {
                Ok(Image { width, height, pixels }) => Ok(Picture { width, height, rgba: pixels }),
                Err(FilterError::Unknown) => Err(Refusal::Unknown),
                Err(FilterError::BadParameter(detail)) => Err(Refusal::BadParameter(detail)),
                Err(FilterError::Failed(detail)) => Err(Refusal::Failed(detail)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers what it is told to.
    struct Fake(fn(Picture) -> Result<Picture, Refusal>);

    impl Filters for Fake {
        fn call(&self, name: &str, args: &[String], picture: Picture) -> Result<Picture, Refusal> {
            assert_eq!((name, args), ("frame", &["3".to_owned()][..]));
            (self.0)(picture)
        }
    }

    fn filtered(fake: fn(Picture) -> Result<Picture, Refusal>) -> Result<Picture, FilterError> {
        let mut picture = Picture { width: 2, height: 3, rgba: (0..24).collect() };
        apply(&Fake(fake), "frame", &["3".to_owned()], &mut picture)?;
        Ok(picture)
    }

    #[test]
    fn gives_what_the_filter_makes() {
        let made = filtered(|mut picture| {
            assert_eq!((picture.width, picture.height), (2, 3));
            picture.rgba.reverse();
            Ok(picture)
        });
        assert_eq!(made.expect("it was made").rgba, (0..24).rev().collect::<Vec<u8>>());
    }

    #[test]
    fn refuses_another_size() {
        let wider = filtered(|picture| Ok(Picture { width: 3, height: 2, ..picture }));
        let error = wider.expect_err("another size").to_string();
        assert_eq!(
            error,
            "the filter `frame` broke its word: it made 3 x 2 pixels in 24 bytes of a picture of 2 x 3 pixels"
        );
        for bytes in [0, 23, 25] {
            let short: fn(Picture) -> _ = match bytes {
                0 => |picture| Ok(Picture { rgba: vec![], ..picture }),
                23 => |picture| Ok(Picture { rgba: vec![0; 23], ..picture }),
                _ => |picture| Ok(Picture { rgba: vec![0; 25], ..picture }),
            };
            assert!(matches!(filtered(short), Err(FilterError::WrongSize { .. })), "{bytes}");
        }
    }

    #[test]
    fn says_why_there_is_none() {
        for (fake, expected) in [
            ((|_| Err(Refusal::Unknown)) as fn(Picture) -> _, "there is no filter `frame`"),
            (
                |_| Err(Refusal::BadParameter("3 is\ntoo many".to_owned())),
                "the filter `frame` does not take these arguments: 3 is too many",
            ),
            (|_| Err(Refusal::Failed("it is monday".to_owned())), "the filter `frame` failed: it is monday"),
        ] {
            assert_eq!(filtered(fake).expect_err("refused").to_string(), expected);
        }
    }

    #[test]
    fn passes_on_no_more_than_a_line() {
        let error = filtered(|_| Err(Refusal::Failed("é\0".repeat(5_000)))).expect_err("refused").to_string();
        assert!(error.chars().count() < 250 && !error.contains('\0'), "{error}");
    }
}
