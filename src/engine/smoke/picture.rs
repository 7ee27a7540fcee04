//! Whether bytes are a picture: each format begins with bytes of its own.

use crate::spec::ImageFormat;

/// The formats, what they are called, their media types and how they begin. Sources: PNG (ISO/IEC 15948), JPEG (ITU-T
/// T.81), GIF89a and the WebP container specification.
const FORMATS: [(ImageFormat, &str, &str, &[u8]); 4] = [
    (ImageFormat::Png, "PNG", "image/png", b"\x89PNG\r\n\x1a\n"),
    (ImageFormat::Jpeg, "JPEG", "image/jpeg", b"\xff\xd8\xff"),
    (ImageFormat::Webp, "WebP", "image/webp", b"RIFF"),
    (ImageFormat::Gif, "GIF", "image/gif", b"GIF8"),
];

/// The format of a picture; none when it is none of these.
pub(super) fn format_of(bytes: &[u8]) -> Option<ImageFormat> {
    let found = FORMATS.iter().find(|(.., start)| bytes.starts_with(start)).map(|(format, ..)| *format)?;
    // Sound and video are in the same container.
    (found != ImageFormat::Webp || bytes.get(8..12) == Some(b"WEBP")).then_some(found)
}

/// What a format is called.
pub(super) fn name(format: ImageFormat) -> &'static str {
    FORMATS.iter().find(|(known, ..)| *known == format).map_or("", |(_, name, ..)| name)
}

/// A format's media type.
pub(super) fn media_type(format: ImageFormat) -> &'static str {
    FORMATS.iter().find(|(known, ..)| *known == format).map_or("", |(_, _, media, _)| media)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_how_it_begins() {
        assert_eq!(format_of(b"\x89PNG\r\n\x1a\n...."), Some(ImageFormat::Png));
        assert_eq!(format_of(b"\xff\xd8\xff\xe0"), Some(ImageFormat::Jpeg));
        assert_eq!(format_of(b"RIFF\0\0\0\0WEBPVP8 "), Some(ImageFormat::Webp));
        assert_eq!(format_of(b"RIFF\0\0\0\0WAVEfmt "), None);
        assert_eq!(format_of(b"GIF89a"), Some(ImageFormat::Gif));
        assert_eq!(format_of(b"<html>"), None);
        assert_eq!((name(ImageFormat::Png), media_type(ImageFormat::Jpeg)), ("PNG", "image/jpeg"));
    }
}
