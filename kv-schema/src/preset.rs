//! The key of the presets. Written by `resize`; `retrieve` reads it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::shape::Document;

/// Every preset by its name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Presets {
    /// By name.
    pub by_name: BTreeMap<String, Preset>,
}

/// A named transform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    /// The transform in its canonical spelling.
    pub transform: String,
    /// Counts the changes; part of the URLs that are handed out, so that a changed preset is a new URL.
    pub revision: u64,
    /// When it was last changed.
    pub updated_at: Millis,
}

impl Presets {
    /// The presets that exist from the start.
    pub fn built_in() -> Self {
        let preset = |transform: &str| Preset { transform: transform.to_owned(), revision: 1, updated_at: 0 };
        let by_name = [
            ("thumb", preset("w=160,h=160,fit=cover")),
            ("small", preset("w=320")),
            ("medium", preset("w=800")),
            ("large", preset("w=1600")),
        ];
        Self { by_name: by_name.into_iter().map(|(name, preset)| (name.to_owned(), preset)).collect() }
    }
}

/// The document that holds all presets. Absent: [`Presets::built_in`].
pub fn document() -> Document<Presets> {
    Document::new("presets")
}
