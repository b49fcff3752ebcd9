//! Conversions as methods, for `re_rav1d` alone.
//!
//! The AV1 decoder asks for a crate of this name, which is under CC0. What ships is under none but the licences that
//! `THIRD-PARTY.md` names, so this one takes its place (`[patch.crates-io]`). It is written from how the decoder calls it.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

/// [`Into`] and [`TryInto`] with the wanted type after the method's name.
pub trait To: Sized {
    /// Converts to `T`.
    fn to<T>(self) -> T
    where
        Self: Into<T>;

    /// Converts to `T` if that can be.
    ///
    /// # Errors
    /// Those of the conversion.
    fn try_to<T>(self) -> Result<T, <Self as TryInto<T>>::Error>
    where
        Self: TryInto<T>;
}

impl<S> To for S {
    fn to<T>(self) -> T
    where
        S: Into<T>,
    {
        self.into()
    }

    fn try_to<T>(self) -> Result<T, <S as TryInto<T>>::Error>
    where
        S: TryInto<T>,
    {
        self.try_into()
    }
}

#[cfg(test)]
mod tests {
    use super::To;

    #[test]
    fn converts() {
        assert_eq!(7_u8.to::<u32>(), 7);
        assert_eq!(300_u32.try_to::<u16>(), Ok(300));
        assert!(300_u32.try_to::<u8>().is_err());
    }
}
