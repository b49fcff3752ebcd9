//! The filters as `wit/imaging.wit` wants them.
#![expect(unsafe_code, reason = "`export` generates the component's glue here")]

use exports::scalehoster::imaging::filter::{FilterError, FilterInfo, Guest, Image, Parameter};

use crate::{FILTERS, Filter, Picture};

wit_bindgen::generate!({ path: "../../wit", world: "user-filter" });

struct Component;

impl Guest for Component {
    fn describe() -> Vec<FilterInfo> {
        FILTERS.iter().map(describe).collect()
    }

    fn apply(name: String, args: Vec<String>, image: Image) -> Result<Image, FilterError> {
        let filter = FILTERS.iter().find(|filter| filter.name == name).ok_or(FilterError::Unknown)?;
        let Image { width, height, pixels } = image;
        let mut picture = Picture { width, height, pixels };
        (filter.apply)(&args, &mut picture).map_err(FilterError::BadParameter)?;
        Ok(Image { width, height, pixels: picture.pixels })
    }
}

fn describe(filter: &Filter) -> FilterInfo {
    let parameter = |(name, help): &(&str, &str)| Parameter { name: (*name).to_owned(), help: (*help).to_owned() };
    FilterInfo {
        name: filter.name.to_owned(),
        help: filter.help.to_owned(),
        parameters: filter.parameters.iter().map(parameter).collect(),
    }
}

export!(Component);
