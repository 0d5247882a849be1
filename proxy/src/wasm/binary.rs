//! What a file that should be a filter is, before any of it is compiled.

/// The two kinds of WebAssembly binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A core module, to be made a component.
    Module,
    /// A component.
    Component,
}

/// Why bytes are no WebAssembly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotWasm {
    #[error("not a WebAssembly module: the file is empty")]
    Empty,
    #[error(
        "not a WebAssembly module: it does not begin with `\\0asm`; is it WAT or another file?"
    )]
    Magic,
    #[error("not a WebAssembly module: version bytes {0:02x?} are of no known kind")]
    Version([u8; 4]),
    #[error(
        "not a WebAssembly module: ends after {0} bytes, before its last section does; is it half written?"
    )]
    Truncated(usize),
}

const MAGIC: &[u8] = b"\0asm";
const MODULE: [u8; 4] = [1, 0, 0, 0];
const COMPONENT: [u8; 4] = [0x0d, 0, 1, 0];

/// Reads the head and walks the sections, to say plainly when a file is not
/// whole. What is in the sections is for the compiler to judge.
pub(super) fn kind(bytes: &[u8]) -> Result<Kind, NotWasm> {
    if bytes.is_empty() {
        return Err(NotWasm::Empty);
    }
    let truncated = NotWasm::Truncated(bytes.len());
    if bytes.len() < MAGIC.len() && MAGIC.starts_with(bytes) {
        return Err(truncated);
    }
    let rest = bytes.strip_prefix(MAGIC).ok_or(NotWasm::Magic)?;
    let (version, sections) = rest.split_first_chunk::<4>().ok_or(truncated.clone())?;
    let kind = match *version {
        MODULE => Kind::Module,
        COMPONENT => Kind::Component,
        other => return Err(NotWasm::Version(other)),
    };
    if sections_are_whole(sections) {
        Ok(kind)
    } else {
        Err(truncated)
    }
}

/// A section is an id, its length as LEB128, and that many bytes.
fn sections_are_whole(mut rest: &[u8]) -> bool {
    while let Some((_id, after)) = rest.split_first() {
        let Some(section) = sized(after) else {
            return false;
        };
        rest = section;
    }
    true
}

/// What follows a length and that many bytes, if they are all there.
fn sized(bytes: &[u8]) -> Option<&[u8]> {
    let mut length = 0_u64;
    for (place, byte) in bytes.iter().enumerate().take(5) {
        length |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return bytes[place + 1..].get(usize::try_from(length).ok()?..);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &Result<Kind, NotWasm>) {
        assert_eq!(&kind(bytes), expected, "{bytes:02x?}");
    }

    #[test]
    fn a_head_says_what_a_file_is() {
        check(b"\0asm\x01\0\0\0", &Ok(Kind::Module));
        check(b"\0asm\x0d\0\x01\0", &Ok(Kind::Component));
        check(b"\0asm\x02\0\0\0", &Err(NotWasm::Version([2, 0, 0, 0])));
        check(b"(module)", &Err(NotWasm::Magic));
        check(b"#!/bin/sh", &Err(NotWasm::Magic));
        check(b"", &Err(NotWasm::Empty));
    }

    #[test]
    fn every_cut_but_between_sections_is_noticed() {
        let whole = b"\0asm\x01\0\0\0\x00\x02\x01a\x00\x81\x00x";
        for length in 1..whole.len() {
            let expected = match length {
                8 | 12 => Ok(Kind::Module),
                _ => Err(NotWasm::Truncated(length)),
            };
            check(&whole[..length], &expected);
        }
        check(whole, &Ok(Kind::Module));
    }
}
