//! Base64 as the services decode it, that is, as Node.js does.

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine as _, alphabet};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Decodes a text in either alphabet up to its padding, and ignores all that is not base64.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    let in_alphabet = |c: char| match c {
        '-' | '+' => Some('+'),
        '_' | '/' => Some('/'),
        _ => c.is_ascii_alphanumeric().then_some(c),
    };
    let mut text: String = text.chars().take_while(|c| *c != '=').filter_map(in_alphabet).collect();
    if text.len() % 4 == 1 {
        text.pop();
    }
    // Nothing is left that could fail.
    LENIENT.decode(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_are_read() {
        for (text, bytes) in [
            ("aGVsbG8=", &b"hello"[..]),
            ("aGVsbG8", b"hello"),
            ("aGVs\nbG8=aaaa", b"hello"),
            ("+/-_", &[0xfb, 0xff, 0xbf]),
            ("***", b""),
            ("a", b""),
        ] {
            assert_eq!(decode(text), bytes, "{text}");
        }
    }
}
