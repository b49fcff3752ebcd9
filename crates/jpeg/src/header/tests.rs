use super::*;

/// A frame of one block, with components by number and sampling, and `before` it.
fn file(before: &[u8], height: u16, components: &[(u8, u8)], after: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xFF, 0xC0, 0, 8 + 3 * components.len() as u8, 8];
    frame.extend(height.to_be_bytes());
    frame.extend([0, 9, components.len() as u8]);
    components.iter().for_each(|(id, sampling)| frame.extend([*id, *sampling, 0]));
    [&[0xFF, 0xD8], before, &frame, after].concat()
}

#[test]
fn colours_are_told_as_libjpeg_tells_them() {
    const JFIF: &[u8] = b"\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
    let adobe = |transform| [b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0", &[transform][..]].concat();
    let check = |before: &[u8], ids: &[u8], expected: Color, is_inverted: bool| {
        let components: Vec<_> = ids.iter().map(|id| (*id, 0x11)).collect();
        let header = Header::read(&file(before, 1, &components, &[])).unwrap();
        assert_eq!((header.color, header.is_inverted), (expected, is_inverted), "{before:x?} {ids:?}");
        assert_eq!(header.color.n_components(), ids.len());
    };
    check(&[], &[1], Color::Gray, false);
    check(&[], &[1, 2, 3], Color::YCbCr, false);
    check(&[], b"RGB", Color::Rgb, false);
    check(&[], &[7, 8, 9], Color::YCbCr, false);
    check(JFIF, b"RGB", Color::YCbCr, false);
    check(&adobe(0), &[1, 2, 3], Color::Rgb, false);
    check(&adobe(1), b"RGB", Color::YCbCr, false);
    check(&[], &[1, 2, 3, 4], Color::Cmyk, false);
    check(&adobe(0), &[1, 2, 3, 4], Color::Cmyk, true);
    check(&adobe(2), &[1, 2, 3, 4], Color::Ycck, true);
}

#[test]
fn the_height_may_come_after_the_first_scan() {
    let after = b"\xFF\xDA\0\x08\x01\x01\0\0\x3F\0\x12\x34\xFF\xDC\0\x04\0\x07\xFF\xD9";
    let header = Header::read(&file(&[], 0, &[(1, 0x11)], after)).unwrap();
    assert_eq!((header.width, header.height, header.n_scans, header.has_end), (9, 7, 1, true));
    assert_eq!(Header::read(&file(&[], 0, &[(1, 0x11)], &[])), Err(Error::Corrupt("no pixels")));
}

#[test]
fn refuses_impossible_frames() {
    let check = |components: &[(u8, u8)]| assert!(Header::read(&file(&[], 1, components, &[])).is_err());
    check(&[]);
    check(&[(1, 0x11), (2, 0x11)]);
    check(&[(1, 0x01)]);
    check(&[(1, 0x51)]);
    check(&[(1, 0x11), (1, 0x11), (2, 0x11)]);
    assert_eq!(Header::read(&[]), Err(Error::NotJpeg));
    assert_eq!(Header::read(&[0xFF, 0xD8]), Err(Error::Corrupt("no frame header")));
    let twice = [file(&[], 1, &[(1, 0x11)], &[]), file(&[], 1, &[(1, 0x11)], &[])[2..].to_vec()].concat();
    assert_eq!(Header::read(&twice), Err(Error::Corrupt("two frames")));
}

#[test]
fn what_follows_the_first_scan_says_nothing_of_the_whole() {
    let components = [(1, 0x11), (2, 0x11), (3, 0x11)];
    let scan = b"\xFF\xDA\0\x0C\x03\x01\0\x02\0\x03\0\0\x3F\0\x12";
    let sound = Header::read(&file(&[], 1, &components, scan)).unwrap();
    for damage in [
        &file(&[], 8, &[(1, 0x11)], &[])[2..],
        b"\xFF\xDE\0\x02",
        b"\xFF\xC3\0\x02",
        b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\0",
    ] {
        let header = Header::read(&file(&[], 1, &components, &[scan, damage].concat()));
        assert_eq!(header.as_ref(), Ok(&sound), "{damage:x?}");
    }
}

#[test]
fn refuses_impossible_scans() {
    let components = [(1, 0x22), (2, 0x11), (3, 0x11)];
    let sequential = Header::read(&file(&[], 1, &components, &[])).unwrap();
    let progressive = Header { process: Process::Progressive, ..sequential.clone() };
    let check = |header: &Header, bytes: &[u8], is_good: bool| {
        assert_eq!(header.scan(bytes).is_ok(), is_good, "{bytes:?}");
    };
    check(&sequential, &[3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0], true);
    check(&sequential, &[1, 2, 0x33, 0, 63, 0], true);
    for bad in [&[][..], &[0, 0, 63, 0], &[1, 4, 0, 0, 63, 0], &[1, 1, 0x40, 0, 63, 0], &[2, 2, 0, 1, 0, 0, 63, 0]] {
        check(&sequential, bad, false);
    }
    check(&progressive, &[3, 1, 0, 2, 0, 3, 0, 0, 0, 0x01], true);
    check(&progressive, &[1, 1, 0, 1, 63, 0x21], true);
    for bad in [[0, 5, 0], [5, 4, 0], [1, 64, 0], [1, 63, 0x31], [1, 63, 0x0E]] {
        check(&progressive, &[&[1, 1, 0][..], &bad].concat(), false);
    }
    check(&progressive, &[2, 1, 0, 2, 0, 1, 63, 0], false);
    let large = Header::read(&file(&[], 1, &[(1, 0x44), (2, 0x11), (3, 0x11)], &[])).unwrap();
    check(&large, &[3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0], false);
    check(&large, &[1, 1, 0, 0, 63, 0], true);
}

#[test]
fn a_profile_is_put_together_in_order() {
    let part = |number, n_parts, byte| [&b"\xFF\xE2\0\x11ICC_PROFILE\0"[..], &[number, n_parts, byte]].concat();
    let profile = |parts: &[Vec<u8>], max| icc_profile(&file(&parts.concat(), 1, &[(1, 0x11)], &[]), max);
    assert_eq!(profile(&[part(2, 2, b'b'), part(1, 2, b'a')], 2), Some(b"ab".to_vec()));
    assert_eq!(profile(&[part(2, 2, b'b'), part(1, 2, b'a')], 1), None);
    assert_eq!(profile(&[part(2, 2, b'b')], 9), None);
    assert_eq!(profile(&[part(1, 2, b'a')], 9), None);
    assert_eq!(profile(&[], 9), None);
}
